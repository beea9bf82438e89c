#!/bin/sh
# Make sure that this machine has what no Python package brings: libraries.sh [gl] [fonts] [ffmpeg] [postgres] [prometheus] [chromium] [iproute2]
set -eu
cd "$(dirname "$0")/../.."
. deploy/setup/apt.sh

gl_works() {
    timeout 120 .venv/bin/python -c \
        'import moderngl; moderngl.create_context(standalone=True, backend="egl").release()'
}

# Any driver will do (a GPU's, or Mesa's for the processor), so the question is whether a
# context can be made, and not which packages are there.
need_gl() {
    if gl_works >/dev/null 2>&1; then
        return 0
    fi
    apt_install "OpenGL without a screen (EGL)" libegl1 libgl1 libgl1-mesa-dri || return 1
    gl_works || {
        say "The OpenGL libraries are installed, but no context can be made; see above."
        return 1
    }
}

# The judge that midifarm's own encoding is held against; midifarm itself never calls it.
need_ffmpeg() {
    if command -v ffmpeg >/dev/null 2>&1 && command -v ffprobe >/dev/null 2>&1; then
        return 0
    fi
    apt_install "ffmpeg, the judge of the tests," ffmpeg && return 0
    # On a developer's machine the tests that it judges are skipped with a reason.
    [ -z "${CI:-}" ]
}

postgres_is_there() {
    for program in /usr/lib/postgresql/*/bin/initdb; do
        [ -x "$program" ] && return 0
    done
    return 1
}

# The distribution's PostgreSQL, a second one for the tests of the database; midifarm itself
# brings its own. Only its programs are wanted: the package is told to make no cluster, and so
# it starts no server.
need_postgres() {
    if postgres_is_there; then
        return 0
    fi
    if command -v apt-get >/dev/null 2>&1 && as_root true; then
        as_root mkdir -p /etc/postgresql-common/createcluster.d
        echo "create_main_cluster = false" |
            as_root tee /etc/postgresql-common/createcluster.d/midifarm.conf >/dev/null
    fi
    apt_install "PostgreSQL, for the tests of the database," postgresql && return 0
    # On a developer's machine the tests that run on it are skipped with a reason.
    [ -z "${CI:-}" ]
}

# Prometheus, which judges metrics, alerts and dashboards, with its promtool. Only its programs are
# wanted: its service is masked before it comes, and where no systemd runs, a policy keeps the
# package from starting it.
need_prometheus() {
    if command -v prometheus >/dev/null 2>&1 && command -v promtool >/dev/null 2>&1; then
        return 0
    fi
    policy=
    if command -v apt-get >/dev/null 2>&1 && as_root true; then
        as_root mkdir -p /etc/systemd/system
        [ -e /etc/systemd/system/prometheus.service ] ||
            as_root ln -s /dev/null /etc/systemd/system/prometheus.service
        if [ ! -d /run/systemd/system ] && [ ! -e /usr/sbin/policy-rc.d ]; then
            policy=/usr/sbin/policy-rc.d
            printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
            as_root chmod 755 "$policy"
        fi
    fi
    installed=0
    apt_install "Prometheus, for the tests of metrics and alerts," prometheus || installed=1
    [ -z "$policy" ] || as_root rm -f "$policy"
    [ "$installed" -eq 0 ] && return 0
    # On a developer's machine the tests that it judges are skipped with a reason.
    [ -z "${CI:-}" ]
}

distribution() {
    sed -n 's/^ID=//p' /etc/os-release 2>/dev/null | tr -d '"'
}

# The browser in which finished videos are played, and the web page tried.
need_chromium() {
    if command -v chromium >/dev/null 2>&1; then
        return 0
    fi
    if [ "$(distribution)" = ubuntu ]; then
        # The package there is a snap, which runs in no container.
        say "chromium is no apt package of Ubuntu's; the tests that need it are skipped."
        return 0
    fi
    apt_install "Chromium, which plays the videos of the tests," chromium && return 0
    # On a developer's machine the tests that need it are skipped with a reason.
    [ -z "${CI:-}" ]
}

# The tests of several hosts, which are namespaces of the network.
need_iproute2() {
    if command -v ip >/dev/null 2>&1; then
        return 0
    fi
    apt_install "iproute2, for the tests of several hosts," iproute2 && return 0
    # On a developer's machine the tests that need it are skipped with a reason.
    [ -z "${CI:-}" ]
}

# A font of other scripts than the one that midifarm brings, for the tests of titles.
need_fonts() {
    if [ -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ]; then
        return 0
    fi
    apt_install "the font DejaVu, for the tests of titles," fonts-dejavu-core && return 0
    # On a developer's machine the tests that need it are skipped with a reason.
    [ -z "${CI:-}" ]
}

for library in "$@"; do
    case $library in
    gl) need_gl ;;
    fonts) need_fonts ;;
    ffmpeg) need_ffmpeg ;;
    postgres) need_postgres ;;
    prometheus) need_prometheus ;;
    chromium) need_chromium ;;
    iproute2) need_iproute2 ;;
    *)
        say "libraries.sh knows gl, fonts, ffmpeg, postgres, prometheus, chromium and iproute2, not $library."
        exit 2
        ;;
    esac
done

#!/bin/sh
# Make sure that this machine has what no Python package brings: libraries.sh [gl] [ffmpeg]
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

for library in "$@"; do
    case $library in
    gl) need_gl ;;
    ffmpeg) need_ffmpeg ;;
    *)
        say "libraries.sh knows gl and ffmpeg, not $library."
        exit 2
        ;;
    esac
done

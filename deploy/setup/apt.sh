# shellcheck shell=sh
# Sourced by the scripts beside it: installs system packages where this user may, without
# ever waiting for a password that nobody is there to type.

say() {
    printf 'midifarm: %s\n' "$*" >&2
}

# as_root COMMAND...: status 100 where this user cannot become root.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif ! command -v sudo >/dev/null 2>&1; then
        return 100
    elif sudo -n true 2>/dev/null; then
        sudo -n "$@"
    elif [ -t 0 ] && [ -t 2 ] && [ -z "${CI:-}" ]; then
        sudo "$@"
    else
        return 100
    fi
}

# What apt-get says is read only where it fails. A machine that has just booted may still be
# upgrading itself: wait for that to end.
as_root_apt() {
    mkdir -p build
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" >build/apt.log 2>&1
}

apt_has_lists() {
    for list in /var/lib/apt/lists/*_Packages*; do
        [ -e "$list" ] && return 0
    done
    return 1
}

# apt_install PURPOSE PACKAGE...: status 1 after a sentence that names the packages.
apt_install() {
    purpose=$1
    shift
    if ! command -v apt-get >/dev/null 2>&1; then
        say "$purpose is missing, and there is no apt-get here to install it." \
            "Install what Debian calls: $*. Then run this again."
        return 1
    fi
    if ! as_root true; then
        say "$purpose is missing, and this user cannot install it (neither root nor sudo" \
            "without a password). Have it installed, then run this again:" \
            "apt-get install $*"
        return 1
    fi
    say "$purpose is missing; installing: $*"
    # Package lists that are absent or old make the first attempt fail.
    { apt_has_lists && as_root_apt install --no-install-recommends "$@"; } ||
        { as_root_apt update && as_root_apt install --no-install-recommends "$@"; } || {
        tail -n 20 build/apt.log >&2
        say "apt-get could not install $*; the end of what it said stands above."
        return 1
    }
}

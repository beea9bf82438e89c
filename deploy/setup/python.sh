# shellcheck shell=sh
# Sourced after apt.sh: find_python sets $python to an interpreter that can make virtual
# environments with pip in reach.

python_fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
        >/dev/null 2>&1
}

# Debian ships Python without ensurepip; a pip of the system's own will do as well.
python_has_pip() {
    "$1" -c 'import venv, ensurepip' >/dev/null 2>&1 ||
        "$1" -c 'import venv, pip' >/dev/null 2>&1
}

# The first of "$@" that fits and, where $1 is "pip", has pip in reach.
first_python() {
    want=$1
    shift
    for candidate in "$@"; do
        python_fits "$candidate" || continue
        [ "$want" = any ] || python_has_pip "$candidate" || continue
        # What stands behind a shim, or behind a virtual environment that happens to be active.
        python=$("$candidate" -c 'import sys; print(getattr(sys, "_base_executable", "") or sys.executable)')
        return 0
    done
    return 1
}

find_python() {
    # The machine's own python3 first: it is the one that its packages belong to.
    candidates=${PYTHON:-python3 python3.13 python3.12 python3.11}
    # shellcheck disable=SC2086  # a list of names
    set -- $candidates
    if first_python pip "$@"; then
        return 0
    fi
    if first_python any "$@"; then
        package=$("$python" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')
        apt_install "Python's venv module" "$package" || return 1
    elif [ -n "${PYTHON:-}" ]; then
        say "PYTHON=$PYTHON is no Python 3.11, 3.12 or 3.13."
        return 1
    else
        apt_install "Python 3.11 or newer" python3 python3-venv || return 1
    fi
    first_python pip "$@" || {
        say "There is still no Python 3.11 to 3.13 with venv and pip (looked for: $*)." \
            "Name one with: make setup PYTHON=/path/to/python3"
        return 1
    }
}

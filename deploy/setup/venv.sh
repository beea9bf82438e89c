#!/bin/sh
# Make .venv hold exactly what a lock names, and midifarm itself: venv.sh runtime|dev
#
# The development lock contains the run-time lock, so an environment for development serves
# both. The note in .venv/installed is taken away before anything is changed and written when
# all is done: an environment without a fitting note was interrupted, moved, or made for
# something else, and is made from scratch.
set -eu
cd "$(dirname "$0")/../.."
. deploy/setup/apt.sh
. deploy/setup/python.sh
. deploy/setup/uv.sh

lock_of() {
    case $1 in
    runtime) echo requirements.lock ;;
    dev) echo requirements-dev.lock ;;
    *)
        say "usage: venv.sh runtime|dev"
        exit 2
        ;;
    esac
}

# Where the environment is and what runs it: with another of either, it is made from scratch.
place() {
    printf '%s %s\n' "$PWD" "$(.venv/bin/python -V 2>&1 || echo absent)"
}

contents() {
    printf '%s %s\n' "$1" "$(cat pyproject.toml "$(lock_of "$1")" | sha256sum)"
}

is_ours() {
    [ "$(sed -n 1p .venv/installed 2>/dev/null)" = "$(place)" ] || return 1
    [ -z "${PYTHON:-}" ] || [ "$("$PYTHON" -V)" = "$(.venv/bin/python -V)" ]
}

is_installed() {
    is_ours || return 1
    have=$(sed -n 2p .venv/installed)
    [ "$have" = "$(contents "$1")" ] || [ "$have" = "$(contents dev)" ]
}

# Compiled now, not at the first run: a local Ray starts several Python processes one after the
# other, which takes 4 s instead of 6 s with compiled modules.
sync() {
    "$uv" pip sync --quiet --python .venv/bin/python --compile-bytecode --require-hashes "$lock" \
        "$@"
}

# On Arm and with Python 3.13 a few packages have no wheel. Debian's own Python keeps its headers
# in a package; every other brings them along.
need_compiler() {
    headers=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("include"))')
    if command -v c++ >/dev/null 2>&1 && [ -e "$headers/Python.h" ]; then
        return 0
    fi
    apt_install "A C++ compiler with Python's headers" g++ \
        "$(.venv/bin/python -c 'import sys; print("python3.%d-dev" % sys.version_info[1])')"
}

wanted=$1
lock=$(lock_of "$wanted")
mkdir -p build
exec 9>build/setup.lock
# Two runs at a time would pull the ground from under each other.
if command -v flock >/dev/null 2>&1; then flock 9; fi

if is_installed "$wanted"; then
    exit 0
fi
say "installing what $lock names into .venv"
find_uv
# uv is to use the interpreter that was found, and to bring none along.
export UV_PYTHON_DOWNLOADS=never
export UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-120}"
if is_ours; then
    rm .venv/installed
else
    find_python
    "$uv" venv --quiet --no-project --clear --python "$python" .venv
fi
sync --only-binary :all: 2>build/sync.log || {
    if ! grep -q 'no usable wheels' build/sync.log; then
        cat build/sync.log >&2
        exit 1
    fi
    say "building from source what has no wheel for this machine"
    need_compiler
    sync --build-constraints requirements.lock
}
"$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
{
    place
    contents "$wanted"
} >.venv/installed.new
mv .venv/installed.new .venv/installed
say "installed: .venv/bin/midifarm"

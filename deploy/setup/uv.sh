# shellcheck shell=sh
# Sourced after apt.sh and python.sh: find_uv sets $uv to the uv that requirements-uv.lock
# names, installed by pip into build/uv, and makes uv see the indexes that pip is set up for.

find_uv() {
    uv=$PWD/build/uv/bin/uv
    uv_lock_hash=$(sha256sum <requirements-uv.lock)
    pip_python=
    if [ "$(cat build/uv/installed 2>/dev/null)" != "$uv_lock_hash" ] ||
        ! "$uv" --version >/dev/null 2>&1; then
        python=
        find_python || return 1
        rm -rf build/uv
        if "$python" -c 'import ensurepip' >/dev/null 2>&1; then
            "$python" -m venv build/uv || return 1
        else
            "$python" -m venv --without-pip build/uv || return 1
        fi
        find_pip || return 1
        # A pip that is set up to install for the user would refuse to do so in here.
        PIP_USER=no "$pip_python" -m pip --python build/uv/bin/python install --quiet \
            --disable-pip-version-check --no-input --require-hashes --no-deps \
            --only-binary :all: -r requirements-uv.lock || {
            say "pip could not install uv; what it said stands above."
            return 1
        }
        printf '%s\n' "$uv_lock_hash" >build/uv/installed
    fi
    find_pip || return 1
    settings=$("$pip_python" deploy/setup/pip_settings.py) || return 1
    eval "$settings"
}

find_pip() {
    if build/uv/bin/python -c 'import pip' >/dev/null 2>&1; then
        pip_python=build/uv/bin/python
    else
        find_python || return 1
        pip_python=$python
    fi
}

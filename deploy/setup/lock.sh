#!/bin/sh
# Write the three locks anew from pyproject.toml. Pins that still fit stay as they are;
# UPGRADE=1 moves all of them to the newest.
set -eu
cd "$(dirname "$0")/../.."
. deploy/setup/apt.sh
. deploy/setup/python.sh
. deploy/setup/uv.sh

find_uv
# A lock must not depend on what one machine happens to have beside its index.
unset UV_INDEX UV_FIND_LINKS UV_NO_INDEX
build_requirements() {
    build/uv/bin/python -c '
import pathlib, tomllib
requires = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["build-system"]["requires"]
print("\n".join(requires))'
}

# pyaudio: see override-dependencies in pyproject.toml.
compile() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-package pyaudio --no-emit-index-url --no-emit-find-links \
        --custom-compile-command 'make lock' ${UPGRADE:+--upgrade} "$@"
}

# The project is installed without build isolation, hence with a pinned build backend.
build_requirements | compile pyproject.toml - --output-file requirements.lock
# Constrained to the run-time lock, so that it contains it.
build_requirements | compile pyproject.toml --group dev - --constraint requirements.lock \
    --output-file requirements-dev.lock
echo uv | compile - --output-file requirements-uv.lock

#!/bin/sh
# Put a free General MIDI SoundFont at build/soundfont/default.sf2, from the system where it has
# one, otherwise out of Debian's package, which needs no root. Without one the demo is silent,
# and that is no error.
set -eu
cd "$(dirname "$0")/../.."
. deploy/setup/apt.sh

package=timgm6mb-soundfont
folder=build/soundfont
soundfont=$folder/default.sf2

link_installed() {
    for candidate in /usr/share/sounds/sf2/TimGM6mb.sf2 /usr/share/sounds/sf2/*.sf2 \
        /usr/share/soundfonts/*.sf2; do
        if [ -r "$candidate" ]; then
            ln -sf "$candidate" "$soundfont"
            return 0
        fi
    done
    return 1
}

unpack_package() {
    rm -rf "$folder/package"
    mkdir "$folder/package"
    # apt's own unprivileged user may be unable to write into this folder.
    (
        cd "$folder/package"
        apt-get -q -o APT::Sandbox::User="$(id -un)" download "$package" >/dev/null 2>&1
    ) || return 1
    dpkg -x "$folder/package/$package"_*.deb "$folder/package" || return 1
    mv "$folder/package/usr/share/sounds/sf2/TimGM6mb.sf2" "$soundfont"
    rm -rf "$folder/package"
}

if [ -r "$soundfont" ]; then
    exit 0
fi
mkdir -p "$folder"
rm -f "$soundfont"
if link_installed; then
    exit 0
fi
if command -v apt-get >/dev/null 2>&1 && command -v dpkg >/dev/null 2>&1; then
    if unpack_package; then
        exit 0
    fi
    if as_root true && as_root_apt update && unpack_package; then
        exit 0
    fi
fi
rm -rf "$folder/package"
if apt_install "A SoundFont (the instruments for the demo)" "$package" && link_installed; then
    exit 0
fi
say "There is no SoundFont, so the demo's video will be silent."

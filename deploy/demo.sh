#!/usr/bin/env bash
# Renders the demo: Bach's Prelude in C, from a score in code to a video with sound.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=build/demo
song="$folder/prelude_in_c.mid"
video="$folder/prelude_in_c.mp4"
soundfont=build/soundfont/default.sf2

mkdir -p "$folder"
.venv/bin/python deploy/demo/prelude.py "$song"

options=()
[ -e "$soundfont" ] && options+=(--soundfont "$soundfont")
.venv/bin/midifarm render "$song" "${options[@]}" --preset youtube_1080p \
    --output "$video" --overwrite "$@"

cat <<EOF

That was $song, 1080p. Watch $video, then render a song of your own:

    .venv/bin/midifarm render SONG.mid --audio SONG.wav -o SONG.mp4
    .venv/bin/midifarm render SONG.mid --style neon --preset tiktok_vertical -o SONG.mp4
    .venv/bin/midifarm render --help
EOF

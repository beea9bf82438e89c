"""Looking over what rendering needs on this machine."""

from __future__ import annotations

from typing import Any, Final

import av
import PIL.features
from av.codec.codec import UnknownCodecError

import workers.fonts
from shared.codecs import CODEC_NAMES
from shared.errors import GLError
from workers.encode import hardware_encoders
from workers.fonts.installed import find_font
from workers.gl.context import is_software, open_context, renderer_name
from workers.soundfont import find_soundfont

_ENCODERS: Final = {
    "h264": "libx264",
    "h265": "libx265",
    "vp9": "libvpx-vp9",
    "av1": "libsvtav1",
    "prores_4444": "prores_ks",
    "gif": "gif",
    "png": "png",
    "aac": "aac",
    "mp3": "libmp3lame",
    "opus": "libopus",
}
"""libav's names by codec; what every preset needs is in the first and the eighth."""
_NEEDED: Final = ("h264", "aac")
_SCRIPTS: Final = {
    "Arabic": "\u0633",
    "Hebrew": "\u05e9",
    "Devanagari": "\u0915",
    "Thai": "\u0e01",
    "Chinese": "\u6f22",
    "Japanese": "\u3042",
    "Korean": "\ud55c",
}
"""A letter of each, which the built-in font does not have."""


def examine() -> list[dict[str, Any]]:
    """Findings as plain data: name, whether it is there, whether it is needed, what to do."""
    return [
        _opengl(),
        *(_encoder(codec, name) for codec, name in _ENCODERS.items()),
        _hardware(),
        _text(),
        _scripts(),
        _soundfont(),
    ]


def _finding(name: str, ok: bool, detail: str, advice: str, *, needed: bool) -> dict[str, Any]:
    return {"name": name, "ok": ok, "detail": detail, "advice": advice, "needed": needed}


def _opengl() -> dict[str, Any]:
    try:
        with open_context() as context:
            kind = "drawn by the processor" if is_software(context) else "drawn by a GPU"
            return _finding("OpenGL", True, f"{renderer_name(context)} ({kind})", "", needed=True)
    except GLError as exc:
        return _finding("OpenGL", False, "", exc.message, needed=True)


def _encoder(codec: str, name: str) -> dict[str, Any]:
    what, needed = f"Encoder for {CODEC_NAMES[codec]}", codec in _NEEDED
    try:
        av.Codec(name, "w")
    except UnknownCodecError:
        advice = f"Install the av package from its own wheel; this one was built without {name}."
        return _finding(what, False, name, advice, needed=needed)
    version = ".".join(str(part) for part in av.library_versions["libavcodec"])
    return _finding(what, True, f"{name}, libavcodec {version}", "", needed=needed)


def _hardware() -> dict[str, Any]:
    found = ", ".join(hardware_encoders())
    advice = "None opens here, so --hardware encodes in software; nothing needs one."
    detail = f"{found}; used with --hardware" if found else ""
    return _finding("Hardware encoders", bool(found), detail, advice, needed=False)


def _text() -> dict[str, Any]:
    raqm = bool(PIL.features.check("raqm"))
    detail = f"{workers.fonts.NAME} (built in)" + (", complex scripts by Raqm" if raqm else "")
    ok = bool(PIL.features.check("freetype2"))
    advice = "Install Pillow from its own wheel; this one was built without FreeType."
    return _finding("Fonts", ok, detail, "" if ok else advice, needed=True)


def _scripts() -> dict[str, Any]:
    found = [name for name, letter in _SCRIPTS.items() if find_font(letter) is not None]
    lacking = [name for name in _SCRIPTS if name not in found]
    advice = (
        f"Only for text in {', '.join(lacking)}: install fonts (Debian: fonts-noto-core, "
        "fonts-noto-cjk), or give one of your own."
    )
    detail = ", ".join(found) + (f"; none for {', '.join(lacking)}" if lacking else "")
    return _finding("Fonts for other scripts", bool(found), detail, advice, needed=False)


def _soundfont() -> dict[str, Any]:
    path = find_soundfont()
    advice = (
        "Only for sound without a recording: install one (Debian: timgm6mb-soundfont), or give "
        "--soundfont."
    )
    return _finding("SoundFont", path is not None, str(path or ""), advice, needed=False)

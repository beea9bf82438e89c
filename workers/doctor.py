"""Looking over what rendering needs on this machine."""

from __future__ import annotations

from typing import Any

import av
import PIL.features
from av.codec.codec import UnknownCodecError

import workers.fonts
from shared.errors import GLError
from workers.gl.context import is_software, open_context, renderer_name
from workers.soundfont import find_soundfont


def examine() -> list[dict[str, Any]]:
    """Findings as plain data: name, whether it is there, whether it is needed, what to do."""
    return [
        _opengl(),
        _encoder("libx264", "h264 video"),
        _encoder("aac", "aac sound"),
        _text(),
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


def _encoder(name: str, what: str) -> dict[str, Any]:
    try:
        av.Codec(name, "w")
    except UnknownCodecError:
        advice = "Install the av package from its own wheel; this one was built without it."
        return _finding(f"Encoder for {what}", False, name, advice, needed=True)
    version = ".".join(str(part) for part in av.library_versions["libavcodec"])
    return _finding(f"Encoder for {what}", True, f"{name}, libavcodec {version}", "", needed=True)


def _text() -> dict[str, Any]:
    raqm = bool(PIL.features.check("raqm"))
    detail = f"{workers.fonts.NAME} (built in)" + (", complex scripts by Raqm" if raqm else "")
    ok = bool(PIL.features.check("freetype2"))
    advice = "Install Pillow from its own wheel; this one was built without FreeType."
    return _finding("Fonts", ok, detail, "" if ok else advice, needed=True)


def _soundfont() -> dict[str, Any]:
    path = find_soundfont()
    advice = (
        "Only for sound without a recording: install one (Debian: timgm6mb-soundfont), or give "
        "--soundfont."
    )
    return _finding("SoundFont", path is not None, str(path or ""), advice, needed=False)

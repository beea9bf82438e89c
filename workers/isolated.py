"""The far side of cluster.isolated: one call in a process of its own.

Reads ``{"call": name, "arguments": {…}}`` on standard input and answers on standard output with
``{"result": …}`` or ``{"error": {"type": …, "message": …}}``. Files that came from outside are
opened in processes like this one, so that a crash in a decoder or a driver ends only the call.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shared.errors import MidifarmError
from shared.intake import IntakeRequest, IntakeSpec
from shared.keys import content_key, preview_key
from shared.preview import PreviewSpec
from shared.revision import revision
from shared.storage import open_store


def _take_in(request: dict[str, Any], store_url: str) -> dict[str, Any]:
    from workers.intake import take_in

    intake = take_in(IntakeRequest.model_validate(request), open_store(store_url))
    return intake.model_dump(mode="json")


def _inspect(path: str) -> dict[str, Any]:
    from workers.inspection import inspect_file

    return inspect_file(Path(path))


def _examine() -> list[dict[str, Any]]:
    from workers.doctor import examine

    return examine()


def _preview(
    request: dict[str, Any], store_url: str, width: int, at_s: float, **asked: Any
) -> dict[str, Any]:
    from workers.intake import take_file, take_in
    from workers.preview import make_preview
    from workers.progress import untold
    from workers.studio import Studio

    store = open_store(store_url)
    files = IntakeRequest.model_validate(request)
    intake = take_in(files, store)
    midi_key = take_file(files.midi, store)
    spec = PreviewSpec(
        intake=IntakeSpec(
            midi_key=midi_key,
            recording_key=intake.recording_key,
            soundfont_key=intake.soundfont_key,
            composition=intake.composition,
            branding=intake.branding,
            names={midi_key: files.midi.name},
            start_s=files.start_s,
            end_s=files.end_s,
            with_audio=files.with_audio,
        ),
        width=width,
        at_s=at_s,
        key="",
        **asked,
    )
    suffix = "mp4" if spec.kind == "clip" else spec.image_format
    key = preview_key(content_key({"revision": revision(), "preview": spec}), suffix)
    with Studio() as studio:
        report = make_preview(spec.model_copy(update={"key": key}), store, studio, untold)
    told = dict.fromkeys([*intake.warnings, *report.warnings])
    return report.model_copy(update={"warnings": tuple(told)}).model_dump(mode="json")


_CALLS: dict[str, Callable[..., Any]] = {
    "take_in": _take_in,
    "inspect": _inspect,
    "examine": _examine,
    "preview": _preview,
}


def main() -> None:
    """Answer one call."""
    # Libraries that print would spoil the answer: it gets a descriptor of its own.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    message = json.load(sys.stdin)
    try:
        reply: dict[str, Any] = {"result": _CALLS[message["call"]](**message["arguments"])}
    except MidifarmError as exc:
        reply = {"error": {"type": type(exc).__name__, "message": exc.message}}
    with answer:
        json.dump(reply, answer)


if __name__ == "__main__":
    main()

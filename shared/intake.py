"""Intake: what a worker is asked to take into the object store, and what it found there."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from shared.branding import Branding
from shared.composition import Composition
from shared.spec import Spec

AssetKind = Literal["midi", "audio", "image", "font", "soundfont", "video"]
"""What an uploaded file is meant as."""


class IntakeRequest(Spec):
    """The files of an export, before anything is known of them."""

    midi: Path = Field(description="The MIDI file.")
    audio: Path | None = Field(default=None, description="Its recording.")
    soundfont: Path | None = Field(
        default=None,
        description="What to synthesise the MIDI with where there is no recording; without it an "
        "installed one is looked for.",
    )
    composition: Composition = Field(description="May name images, videos and fonts by path.")
    branding: Branding | None = Field(
        default=None, description="Watermark and end card; may name images and fonts by path."
    )
    folder: Path = Field(description="What those paths are relative to.")
    start_s: float = Field(default=0.0, description="Beginning of the range that is rendered.")
    end_s: float | None = Field(default=None, description="Its end, where one was asked for.")
    with_audio: bool = Field(default=True, description="Whether the video will have sound.")


class IntakeSpec(Spec):
    """The same where the files are in the object store already."""

    midi_key: str = Field(description="Object key of the MIDI file.")
    recording_key: str | None = Field(default=None, description="Object key of its recording.")
    soundfont_key: str | None = Field(
        default=None,
        description="Object key of what to synthesise the MIDI with where there is no recording; "
        "without it one that is installed on the worker is looked for.",
    )
    composition: Composition = Field(description="Names images, videos and fonts by object key.")
    branding: Branding | None = Field(
        default=None, description="Watermark and end card; images and fonts by object key."
    )
    names: dict[str, str] = Field(
        default_factory=dict,
        description="File names by object key, as the musician knows them: what is said about a "
        "file calls it so.",
    )
    start_s: float = Field(default=0.0, description="Beginning of the range that is rendered.")
    end_s: float | None = Field(default=None, description="Its end, where one was asked for.")
    with_audio: bool = Field(default=True, description="Whether the video will have sound.")


class Intake(Spec):
    """What is in the object store now, and what the plan needs to know of it."""

    composition: Composition = Field(description="Images, videos and fonts named by asset keys.")
    branding: Branding | None = Field(
        default=None, description="The same of the watermark and the end card."
    )
    song_key: str = Field(description="Object key of the analysed MIDI.")
    title: str = Field(description="The song's own title; empty where it has none.")
    notes: int = Field(description="Notes in the song.")
    notes_in_range: int = Field(description="Notes that sound in the range.")
    end_s: float = Field(description="Song time at which the last note ends.")
    recording_key: str | None = Field(description="Object key of the recording.")
    recording_s: float | None = Field(description="Length of the recording.")
    soundfont_key: str | None = Field(description="Object key of the SoundFont.")
    warnings: tuple[str, ...] = Field(description="What may not be as the musician expects.")


class ProbeSpec(Spec):
    """An uploaded file that is to be looked into."""

    asset_key: str = Field(description="Object key of the file.")
    name: str = Field(description="Its name, as the musician knows it.")
    kind: AssetKind = Field(description="What it is meant as.")


class ProbeReport(Spec):
    """What a worker tells of a file that can be used as what it is meant as."""

    asset_key: str = Field(description="Object key of the file.")
    kind: AssetKind = Field(description="What it can be used as.")
    facts: dict[str, Any] = Field(description="What is in it, as plain data.")

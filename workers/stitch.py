"""Stitching: segments and sound become one file, without encoding anything again."""

from __future__ import annotations

import errno
import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import av
from av.error import FFmpegError

from shared.errors import (
    DamagedObjectError,
    ObjectNotFoundError,
    RenderError,
    ScratchFullError,
    VerificationError,
)
from shared.plan import StitchReport, StitchSpec
from shared.storage import ObjectStore
from workers.probe import verify_export
from workers.progress import Progress, untold

REORDER: Final = 2
"""How many frames decoding runs ahead of presentation in the whole file. x264 needs at most two
with its default of one level of B-frame references; a shorter segment may need less."""

if TYPE_CHECKING:
    Packet = av.Packet[Any]  # generic to the type checker alone


@dataclass(frozen=True, slots=True)
class Placed:
    """A packet's place in the whole video, in frames."""

    decode: int
    """Its place in the order of decoding, REORDER earlier so that it is never after its pts."""
    present: int
    """The frame that it shows."""


def place_packets(pts: list[Fraction], fps: Fraction, first_frame: int) -> list[Placed]:
    """Give the packets of one segment their places, from the order they are shown in alone.

    Decoding timestamps are made anew: encoders write odd ones for segments of a frame or two,
    and containers shift them.

    Args:
        pts: Presentation times in seconds, in the order of decoding.
        fps: Frames a second.
        first_frame: The frame of the whole video with which the segment begins.

    Raises:
        RenderError: The segment lacks a frame, repeats one, or reorders more than REORDER.
    """
    shown = [round(time * fps) for time in pts]
    start = min(shown, default=0)
    order = [frame - start for frame in shown]
    if sorted(order) != list(range(len(order))):
        raise RenderError(f"The segment at frame {first_frame} does not show each frame once.")
    if any(place - frame > REORDER for place, frame in enumerate(order)):
        raise RenderError(
            f"The segment at frame {first_frame} reorders more than {REORDER} frames."
        )
    return [
        Placed(first_frame + place - REORDER, first_frame + frame)
        for place, frame in enumerate(order)
    ]


def stitch(spec: StitchSpec, store: ObjectStore, progress: Progress = untold) -> StitchReport:
    """Join the segments, mix in the sound, verify the file and store it.

    ``progress`` hears how many frames are joined.

    Raises:
        RenderError: A segment is not what was planned.
        VerificationError: The finished file is not what was planned.
        DamagedObjectError: The bytes of a segment or of the sound are not those that its maker
            told of; the fact ``key`` says which, so that it can be made again.
        ObjectNotFoundError: A segment or the sound is gone; the fact ``keys`` names all that are.
        StorageError: The object store failed.
        CancelledError: ``progress`` said so.
    """
    with tempfile.TemporaryDirectory(prefix="midifarm-") as folder:
        path = Path(folder) / "result.mp4"
        try:
            _write(spec, store, path, progress)
        except FFmpegError as exc:
            if exc.errno == errno.ENOSPC:
                raise ScratchFullError(f"There is no space left in {folder}.") from exc
            raise RenderError(f"The segments could not be joined: {exc}") from exc
        except ObjectNotFoundError as exc:
            # Where one is gone others may be, and all of them can be made at the same time.
            keys = [*spec.segment_keys, *([spec.audio.key] if spec.audio else [])]
            gone = [key for key in keys if not store.exists(key)]
            raise ObjectNotFoundError(exc.message, **exc.facts | {"keys": gone}) from exc
        progress(spec.frames)
        verify_export(path, video=spec.video, frames=spec.frames, audio=spec.audio)
        progress(spec.frames)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        progress(spec.frames)
        store.put_file(spec.key, path)
        return StitchReport(
            key=spec.key, frames=spec.frames, size_bytes=path.stat().st_size, sha256=sha256
        )


def _write(spec: StitchSpec, store: ObjectStore, path: Path, progress: Progress) -> None:
    if len(set(spec.segment_keys)) < len(spec.segment_keys):
        raise RenderError("A segment was planned to be shown twice.")
    fps = spec.video.fps
    options = {
        "movflags": "+faststart",
        "fflags": "+bitexact",
        # The edit list counts in this scale: frames last a whole number of ticks.
        "movie_timescale": str(fps.numerator * (1000 if fps.numerator < 1000 else 1)),
    }
    with ExitStack() as stack:
        output = stack.enter_context(av.open(str(path), "w", format="mp4", options=options))
        first = stack.enter_context(_segment(spec, store, 0))
        template = stack.enter_context(av.open(str(first))).streams.video[0]
        video = output.add_stream_from_template(template, opaque=True, rate=fps)
        video.time_base = 1 / fps
        sources = [_video_packets(spec, store, video, progress)]
        if spec.audio is not None:
            sound = stack.enter_context(_intact(store, spec.audio.key, spec.audio_sha256))
            sound_input = stack.enter_context(av.open(str(sound)))
            audio = output.add_stream_from_template(sound_input.streams.audio[0], opaque=True)
            sources.append(_audio_packets(sound_input, audio))
        for packet in interleave(sources):
            output.mux_one(packet)


def _segment(spec: StitchSpec, store: ObjectStore, index: int) -> AbstractContextManager[Path]:
    expected = spec.segment_sha256[index] if spec.segment_sha256 else ""
    return _intact(store, spec.segment_keys[index], expected)


@contextmanager
def _intact(store: ObjectStore, key: str, sha256: str) -> Iterator[Path]:
    """An object as a file whose bytes are those that its maker told of, where that is known."""
    with store.as_file(key) as path:
        if sha256:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != sha256:
                raise DamagedObjectError(
                    f"The object {key} is damaged: its bytes are not those that were stored.",
                    key=key,
                )
        yield path


def _video_packets(
    spec: StitchSpec, store: ObjectStore, stream: av.VideoStream, progress: Progress
) -> Iterator[Packet]:
    """The packets of all segments with their places in the whole video."""
    fps, frame = spec.video.fps, 0
    extradata = None
    for index, key in enumerate(spec.segment_keys):
        progress(frame)
        with _segment(spec, store, index) as path, av.open(str(path)) as segment:
            source = segment.streams.video[0]
            if extradata is None:
                extradata = source.codec_context.extradata
            elif extradata != source.codec_context.extradata:
                raise RenderError(f"Segment {key} was encoded with other settings.")
            packets = [packet for packet in segment.demux(source) if packet.size]
            if not packets or not packets[0].is_keyframe:
                raise RenderError(f"Segment {key} does not begin with a key frame.")
            times = [Fraction(packet.pts or 0) * packet.time_base for packet in packets]
            for packet, placed in zip(packets, place_packets(times, fps, frame), strict=True):
                packet.pts, packet.dts, packet.duration = placed.present, placed.decode, 1
                packet.time_base = 1 / fps
                packet.stream = stream
                progress(placed.present)
                yield packet
            frame += len(packets)
    if frame != spec.frames:
        raise VerificationError(f"{spec.frames} frames were planned, the segments hold {frame}.")


def _audio_packets(
    container: av.container.InputContainer, stream: av.AudioStream
) -> Iterator[Packet]:
    for packet in container.demux(audio=0):
        if packet.size:
            packet.stream = stream
            yield packet


def interleave(sources: Iterable[Iterator[Packet]]) -> Iterator[Packet]:
    """Merge streams of packets by the time at which they are decoded."""
    heads = [(next(source, None), source) for source in sources]
    while True:
        waiting = [
            (Fraction(packet.dts or 0) * packet.time_base, place)
            for place, (packet, _) in enumerate(heads)
            if packet is not None
        ]
        if not waiting:
            return
        _, place = min(waiting)
        packet, source = heads[place]
        assert packet is not None  # noqa: S101  # it is in `waiting`
        yield packet
        heads[place] = (next(source, None), source)

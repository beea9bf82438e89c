"""The survey: a look at a piece before its chunks can be encoded.

**A rate.** A few chunks of the real length are encoded with several rate factors. They are chosen
by how many notes are seen in them: all chunks in the order of that number make as many equal groups
as there are samples, and each sample, from the middle of its group, speaks for its group. Two of
them find the neighbourhood of the factor, then all are encoded there. A piece of no more chunks
than SAMPLES is encoded whole. Frames are drawn anew each time, which is cheaper than keeping them.

**A palette.** libav's ``palettegen`` looks at the whole piece (``stats_mode=full``): at every
frame up to PALETTE_FRAMES, so that the palette is the one that encoding the piece in one go would
use; of a longer piece at every n-th frame, n the smallest number that leaves no more than that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import av
from av.error import FFmpegError
from av.filter import Graph
from pydantic import ValidationError

from shared.codecs import CODECS
from shared.errors import ClusterError, EncodeError, ObjectNotFoundError
from shared.keys import digest
from shared.plan import Picture, SurveyReport, SurveySpec, VideoSpec
from shared.rates import AIM, Measured, crf_for, crf_step, packet_bytes
from shared.storage import ObjectStore
from shared.timebase import FrameRange
from workers.encode import encode_segment, segment_frames
from workers.midi import Song
from workers.progress import Progress, untold, watched
from workers.studio import Studio

SAMPLES: Final = 8
"""Chunks that are encoded; as many as a piece of half a minute has."""
PALETTE_FRAMES: Final = 1000
"""Frames that a palette is made of: over a minute at the usual 15 a second."""

_PATHFINDERS: Final = 2
"""Samples that find the neighbourhood."""
_NEAR: Final = 0.12
"""A rate so near to the one that is looked for that a line leads on from it."""
_PASSES: Final = 3
"""How often all samples are encoded at most."""
_PATHS: Final = 6
"""How often the first two are."""


def survey(
    spec: SurveySpec, store: ObjectStore, studio: Studio, progress: Progress = untold
) -> SurveyReport:
    """Find what a piece is to be encoded with, or the finding in the store.

    The finding goes to ``spec.key`` as the report in JSON. ``progress`` is called with 0 for every
    frame that is drawn.

    Raises:
        ClusterError: The survey was planned for another engine.
        RenderError: Drawing or encoding went wrong.
        CancelledError: ``progress`` said so.
        StorageError: The object store failed.
    """
    if spec.engine != studio.engine:
        raise ClusterError(
            f"The survey was planned for {spec.engine!r}, this is {studio.engine!r}."
        )
    try:
        data = store.get_bytes(spec.key)
        found = SurveyReport.model_validate_json(data)
    except (ObjectNotFoundError, ValidationError):
        found = _look(spec, _Frames(spec.picture, store, studio, progress))
        data = found.model_dump_json().encode()
        store.put_bytes(spec.key, data)
    return found.model_copy(
        update={"key": spec.key, "size_bytes": len(data), "sha256": digest(data)}
    )


@dataclass(frozen=True, slots=True)
class _Frames:
    """Draws frames of a piece."""

    picture: Picture
    store: ObjectStore
    studio: Studio
    progress: Progress

    def drawn(self, frames: Sequence[int] | range) -> Iterator[av.VideoFrame]:
        renderer = self.studio.renderer(self.picture, self.store)
        return watched(renderer.frames(frames), self.progress)

    @property
    def song(self) -> Song:
        return self.studio.song(self.picture.song_key, self.store)


def _look(spec: SurveySpec, frames: _Frames) -> SurveyReport:
    video = spec.picture.video
    crf, palette = None, None
    if video.target_kbps is not None:
        crf = find_crf(spec, frames)
    if video.codec == "gif":
        palette = _palette(frames, spec.ranges[-1].stop)
    return SurveyReport(key=spec.key, crf=crf, palette=palette)


def find_crf(spec: SurveySpec, frames: _Frames) -> float:
    """The rate factor whose average rate is the one that is to be held."""
    video = spec.picture.video
    assert video.target_kbps is not None  # noqa: S101  # the caller has looked
    aim = AIM * video.target_kbps
    samples = choose_samples(spec, frames.song)
    facts = CODECS[video.codec]
    assert facts.crf is not None  # noqa: S101  # what has a rate has a scale
    # Samples are encoded with factors that the encoder takes as they are.
    coarse = Fraction(video.crf_grid or 0.5)
    scout = [
        samples[len(samples) * (2 * number + 1) // (2 * _PATHFINDERS)]
        for number in range(_PATHFINDERS)
    ]
    crf = float(facts.default_crf)
    seen: list[Measured] = []
    if len(samples) > _PATHFINDERS:
        for _ in range(_PATHS):
            kbps = _rate(scout, crf, video, frames)
            seen.append(Measured(crf=crf, kbps=kbps))
            following = crf_for(aim, seen, video.codec, coarse)
            if following is None:
                crf = _nearest(seen, aim)
                break
            crf = following
            if abs(math.log(kbps / aim)) < _NEAR:
                break
    known: list[Measured] = []
    fine = crf_step(video.crf_grid, len(spec.ranges))
    for last in range(1, _PASSES + 1):
        kbps = _rate(samples, crf, video, frames)
        known.append(Measured(crf=crf, kbps=kbps))
        near = abs(math.log(kbps / aim)) < _NEAR
        if near or last == _PASSES:
            break
        following = crf_for(aim, [*_shifted(seen, known), *known], video.codec, coarse)
        if following is None:
            break
        crf = following
    # The next one is not encoded any more: it lies on a line between those that were.
    final = crf_for(aim, [*_shifted(seen, known), *known], video.codec, fine)
    return _nearest(known, aim) if final is None else final


def _shifted(seen: Sequence[Measured], known: Sequence[Measured]) -> list[Measured]:
    """What the first two samples gave, moved to where all samples are.

    Their rate is another, but it falls in the same way.
    """
    if len(seen) < 2:  # a point alone shows no fall
        return []
    tried = {one.crf for one in known}
    here = known[-1]
    # Where all samples were encoded with another factor, the line of the nearest two leads there.
    a, b = sorted(seen, key=lambda one: abs(one.crf - here.crf))[:2]
    slope = math.log(b.kbps / a.kbps) / (b.crf - a.crf)
    base = a.kbps * math.exp(slope * (here.crf - a.crf))
    return [
        Measured(crf=one.crf, kbps=one.kbps * here.kbps / base)
        for one in seen
        if one.crf not in tried
    ]


def _nearest(seen: Sequence[Measured], aim_kbps: float) -> float:
    return min(seen, key=lambda one: abs(math.log(one.kbps / aim_kbps))).crf


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A chunk that speaks for others."""

    frames: FrameRange
    """Its frames."""
    weight: int
    """Frames of all chunks that it speaks for."""


def choose_samples(spec: SurveySpec, song: Song) -> list[Sample]:
    """Chunks that stand for all chunks of a piece, those with the fewest notes first."""
    picture = spec.picture
    fps, stage = picture.video.fps, picture.composition.stage

    def busy(span: FrameRange) -> float:
        start_s, stop_s = span.start / fps, span.stop / fps
        if picture.card_s is not None:
            stop_s = min(stop_s, picture.card_s)
        if stop_s <= start_s:
            return 0.0  # an end card stands still
        first = float(picture.start_s + start_s) - stage.seconds_after
        last = float(picture.start_s + stop_s) + stage.seconds_ahead
        share = float((stop_s - start_s) * fps / len(span))
        return len(song.notes.visible(first, last)) * share

    chunks = sorted(spec.ranges, key=lambda span: (busy(span), span.start))
    count = min(SAMPLES, len(chunks))
    edges = [len(chunks) * index // count for index in range(count + 1)]
    groups = [chunks[edges[index] : edges[index + 1]] for index in range(count)]
    return [
        Sample(frames=group[len(group) // 2], weight=sum(len(span) for span in group))
        for group in groups
    ]


def _rate(samples: Sequence[Sample], crf: float, video: VideoSpec, frames: _Frames) -> float:
    """The average rate of a piece, kbit/s, as its samples have it."""
    known = video.model_copy(update={"crf": crf})
    bits = 0.0
    for sample in samples:
        span = sample.frames
        data = encode_segment(frames.drawn(list(segment_frames(known, span))), known, span)
        size = packet_bytes(len(data), video.codec, len(span), 1)
        bits += size * 8 / len(span) * sample.weight
    return bits * float(video.fps) / 1000 / sum(sample.weight for sample in samples)


def palette_frames(frames: int) -> range:
    """The frames that the palette of a piece is made of."""
    return range(0, frames, max(1, -(-frames // PALETTE_FRAMES)))


def _palette(frames: _Frames, count: int) -> str:
    """The colours of a piece: 256 of BGRA, as hexadecimal."""
    video = frames.picture.video
    graph = Graph()
    size = f"video_size={video.width}x{video.height}:pix_fmt=bgra:time_base={1 / video.fps}"
    source = graph.add("buffer", size)
    method = graph.add("palettegen", "stats_mode=full")
    sink = graph.add("buffersink")
    source.link_to(method)
    method.link_to(sink)
    try:
        graph.configure()
        for number, picture in enumerate(frames.drawn(palette_frames(count))):
            colours = picture.reformat(format="bgra")
            colours.pts, colours.time_base = number, 1 / video.fps
            source.push(colours)
        source.push(None)
        found = sink.pull()
    except FFmpegError as exc:
        raise EncodeError(f"The palette of the GIF could not be made: {exc}") from exc
    assert isinstance(found, av.VideoFrame)  # noqa: S101  # a graph of pictures
    return found.to_ndarray().tobytes().hex()

"""Every cell of the matrix of formats, rendered in chunks: container × picture × sound.

The pictures say which frame they are, the sound clicks where chunks meet, so that any decoder
can tell whether all is in its place.
"""

from __future__ import annotations

import itertools
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from shared.codecs import CODECS, CONTAINERS, AudioCodec, Container, VideoCodec, has_alpha
from shared.plan import AudioSpec, StitchReport, StitchSpec, VideoSpec
from shared.storage import LocalStore
from shared.timebase import FrameRange, samples_for
from workers.audio import prepare_audio
from workers.encode import encode_segment, segment_frames
from workers.stitch import stitch

WIDTH, HEIGHT, BITS = 160, 90, 8
LENGTHS = (13, 12, 13, 9, 1)
"""Frames of the chunks: unequal, and the last as short as can be."""
STARTS = tuple(itertools.accumulate(LENGTHS, initial=0))[:-1]
FRAMES = sum(LENGTHS)
POSTER_FRAME = 30
RATES = (Fraction(24), Fraction(30), Fraction(60), Fraction(30000, 1001))
ALPHA = 128
"""Of what is transparent in the lower half of the picture, out of 255."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One combination that the containers allow."""

    container: Container
    codec: VideoCodec | None
    pixel_format: str | None
    sound: AudioCodec | None
    fps: Fraction
    sample_rate: int

    @property
    def name(self) -> str:
        """What it is called in the list of tests."""
        parts = (self.container, self.codec, self.pixel_format, self.sound)
        return "-".join(str(part) for part in parts if part is not None)

    @property
    def transparent(self) -> bool:
        """Whether the picture has an alpha channel."""
        return self.pixel_format is not None and has_alpha(self.pixel_format)

    @property
    def duration_s(self) -> Fraction:
        """How long it is."""
        return FRAMES / self.fps

    @property
    def samples(self) -> int:
        """Length of its sound."""
        return samples_for(FRAMES, self.fps, self.sample_rate)


def _combinations() -> Iterator[tuple[Container, VideoCodec | None, str | None, AudioCodec | None]]:
    for container, facts in CONTAINERS.items():
        for codec in facts.video:
            usual = CODECS[codec].pixel_formats[0]
            for sound in facts.audio or (None,):
                yield container, codec, usual, sound
        if not facts.video:
            for sound in facts.audio:
                yield container, None, None, sound
    yield "mp4", "h264", "yuv420p", None  # silent
    for codec, kind in CODECS.items():
        for pixel_format in kind.pixel_formats[1:]:
            # Only webm has a place for the alpha of VP9.
            wanted = "webm" if codec == "vp9" else None
            container = next(
                name
                for name, facts in CONTAINERS.items()
                if codec in facts.video and wanted in (None, name)
            )
            sounds = CONTAINERS[container].audio
            yield container, codec, pixel_format, sounds[0] if sounds else None


def _cells() -> tuple[Cell, ...]:
    rates = itertools.cycle(RATES)
    return tuple(
        Cell(
            container=container,
            codec=codec,
            pixel_format=pixel_format,
            sound=sound,
            fps=Fraction(30) if codec == "gif" else fps,
            # Opus has the one rate alone.
            sample_rate=48000 if sound == "opus" or number % 2 else 44100,
        )
        for number, ((container, codec, pixel_format, sound), fps) in enumerate(
            zip(_combinations(), rates, strict=False)
        )
    )


CELLS = _cells()


@dataclass(frozen=True, kw_only=True)
class Made:
    """A finished file."""

    cell: Cell
    spec: StitchSpec
    report: StitchReport
    path: Path
    parts: tuple[Path, ...]
    """The segments, in their order."""
    poster: Path | None


class Matrix:
    """Makes finished files, each once."""

    def __init__(self, folder: Path) -> None:
        """Make nothing yet."""
        self._folder = folder
        self.store = LocalStore(folder / "store")
        self.made = cache(self._make)
        self.segments = cache(self._segments)
        self._sound = cache(self._make_sound)

    def _make(self, cell: Cell) -> Made:
        spec = self.spec(cell)
        report = stitch(spec, self.store)
        path = self._folder / f"{cell.name}.{cell.container}"
        path.write_bytes(self.store.get_bytes(report.key))
        poster = None
        if report.poster_key is not None:
            poster = path.with_suffix(".jpg")
            poster.write_bytes(self.store.get_bytes(report.poster_key))
        parts = []
        for place, key in enumerate(spec.segment_keys):
            parts.append(self._folder / f"{cell.name}.{place}.part")
            parts[-1].write_bytes(self.store.get_bytes(key))
        return Made(
            cell=cell, spec=spec, report=report, path=path, parts=tuple(parts), poster=poster
        )

    def spec(self, cell: Cell) -> StitchSpec:
        """The stitch of a cell, its segments and its sound made."""
        video, keys = None, ()
        if cell.codec is not None:
            video = video_of(cell)
            keys = self.segments(video, LENGTHS)
        return StitchSpec(
            container=cell.container,
            segment_keys=keys,
            frames=FRAMES if video else 0,
            video=video,
            audio=self._sound(cell.sound, cell.sample_rate, cell.fps) if cell.sound else None,
            gif_loop=3,
            poster_frame=POSTER_FRAME if video else None,
            key=f"exports/{cell.name}.{cell.container}",
        )

    def _segments(self, video: VideoSpec, lengths: Sequence[int]) -> tuple[str, ...]:
        """Keys of segments of those lengths."""
        keys, start = [], 0
        rate = f"{float(video.fps):.3f}"
        for length in lengths:
            span = FrameRange(start, start + length)
            frames = segment_frames(video, span)
            name = f"{video.codec}-{video.pixel_format}-{rate}-{start}-{span.stop}"
            keys.append(f"segments/{name}.segment")
            self.store.put_bytes(keys[-1], encode_segment(pictures(frames, video), video, span))
            start = span.stop
        return tuple(keys)

    def _make_sound(self, codec: AudioCodec, rate: int, fps: Fraction) -> AudioSpec:
        samples = samples_for(FRAMES, fps, rate)
        name = f"{codec}-{rate}-{samples}"
        sound = np.zeros(samples)
        for at in clicks(fps, rate):
            sound[at - len(click(rate)) // 2 :][: len(click(rate))] += click(rate)
        path = self._folder / f"{name}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes((sound * 32767).astype("<i2").tobytes())
        self.store.put_file(f"assets/{name}", path)
        spec = AudioSpec(
            recording_key=f"assets/{name}",
            start_s=Fraction(0),
            offset_s=Fraction(0),
            samples=samples,
            sample_rate=rate,
            channels=2,
            codec=codec,
            bitrate_kbps=128,
            loudness_lufs=None,
            key=f"audio/{name}.mp4",
        )
        prepare_audio(spec, self.store)
        return spec


def video_of(cell: Cell) -> VideoSpec:
    """What the picture of a cell is encoded as."""
    assert cell.codec is not None
    assert cell.pixel_format is not None
    facts = CODECS[cell.codec]
    profiles = facts.profiles[cell.pixel_format]  # type: ignore[index]  # it is in there
    return VideoSpec(
        width=WIDTH,
        height=HEIGHT,
        fps=cell.fps,
        codec=cell.codec,
        pixel_format=cell.pixel_format,  # type: ignore[arg-type]  # as above
        crf=facts.default_crf if facts.crf else None,
        profile=profiles[0] if profiles else None,
        encoder_speed="veryfast" if cell.codec in ("h264", "h265") else "ultrafast",
        palette=palette() if cell.codec == "gif" else None,
        dither="sierra2_4a",
    )


def palette() -> str:
    """A cube of colours and a row of greys, as a survey would hand them over: BGRA."""
    levels = (0, 51, 102, 153, 204, 255)
    cube = list(itertools.product(levels, repeat=3))
    greys = [(level, level, level) for level in range(3, 243, 6)]
    return "".join(f"{blue:02x}{green:02x}{red:02x}ff" for red, green, blue in cube + greys)


def pictures(frames: Sequence[int], video: VideoSpec) -> Iterator[av.VideoFrame]:
    """Frames with their number as stripes above, and something that moves below."""
    ground = np.random.default_rng(5).integers(60, 180, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    wide, half = WIDTH // BITS, HEIGHT // 2
    for number in frames:
        rgba = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
        rgba[..., :3] = np.roll(ground // 8 * 8, 3 * number, axis=1)
        for bit in range(BITS):
            rgba[:half, bit * wide : (bit + 1) * wide, :3] = 235 if number >> bit & 1 else 20
        if has_alpha(video.pixel_format):
            rgba[half:, :, 3] = ALPHA
        picture = av.VideoFrame.from_ndarray(rgba, format="rgba")
        if video.pixel_format in ("pal8", "rgb24", "rgba"):
            yield picture.reformat(format="rgba" if video.pixel_format == "rgba" else "rgb24")
        else:
            yield picture.reformat(
                format=video.pixel_format,
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
            )


def number_of(luma: np.ndarray) -> int:
    """What the stripes of a frame say; luma of shape (HEIGHT, WIDTH)."""
    stripes = luma[8 : HEIGHT // 2 - 8].reshape(-1, BITS, WIDTH // BITS)[:, :, 4:-4]
    return sum(1 << bit for bit, level in enumerate(stripes.mean(axis=(0, 2))) if level > 128)


@cache
def click(rate: int) -> np.ndarray:
    """A click of 6 ms; its middle is where it is heard."""
    length = rate * 6 // 1000 | 1
    at = np.arange(length) - length // 2
    return 0.7 * np.hanning(length) * np.cos(2 * np.pi * 2500 * at / rate)


def clicks(fps: Fraction, rate: int) -> tuple[int, ...]:
    """The samples on which the middles of the clicks lie: where chunks meet."""
    return tuple(round(start / fps * rate) for start in STARTS[1:-1])


class Heard:
    """A decoded sound."""

    def __init__(self, samples: np.ndarray, rate: int, first_s: float) -> None:
        """Take what a decoder gave out, the first sample of it heard at ``first_s``."""
        self.samples, self._rate, self._first_s = samples, rate, first_s

    @cached_property
    def duration_s(self) -> float:
        """How long it is."""
        return len(self.samples) / self._rate

    def late_s(self, at: int) -> float:
        """How much later than on sample ``at`` a click is heard; looked for within 40 ms."""
        template, reach = click(self._rate), self._rate * 40 // 1000
        middle = at - round(self._first_s * self._rate)
        begin = middle - reach - len(template) // 2
        window = self.samples[max(0, begin) : begin + 2 * reach + len(template)]
        found = np.correlate(window, template, mode="valid")
        assert found.max() > 0.3 * np.dot(template, template), "the click is heard"
        heard = max(0, begin) + int(found.argmax()) + len(template) // 2
        return self._first_s + heard / self._rate - at / self._rate

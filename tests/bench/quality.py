"""What chunks cost in quality, and whether rates are held: ``make bench-quality``.

For each codec the same frames of a song are encoded in one go and in chunks of the default
length, with the same settings (a key frame after 250 frames at the latest, x264's default, is one
of them: in one go there are some, too), and compared with what was drawn by libav's own ``ssim``
and ``psnr`` filters. Two encodes in one go, at two rate factors, tell how large one would be that
is as good as the chunks: the growth is at equal SSIM. All sizes are those of the packets.

Then average rates are asked for, and the first rendering after the survey and the last one after
all refits are measured.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.filter import Graph
from rich.console import Console
from rich.table import Table

from shared.codecs import CODEC_NAMES, CODECS, VideoCodec
from shared.fitting import refit, video_kbps
from shared.plan import Picture, VideoSpec, chunk_ranges
from shared.planning import ExportPlan
from shared.rates import is_held
from shared.storage import LocalStore
from shared.styles import find_style
from shared.timebase import FrameRange
from tests.bench.etude import write_etude
from workers.chunk import render_chunk
from workers.encode import add_video_stream, encode_segment
from workers.intake import take_midi
from workers.progress import untold
from workers.studio import Studio
from workers.survey import survey

FPS: Final = Fraction(30)
GROWTH: Final[dict[VideoCodec, float]] = {"vp9": 0.03, "h265": 0.06, "av1": 0.03, "h264": 0.03}
"""How much chunks may add at equal SSIM; the slowest codec first."""
_APART: Final = 3
"""Steps between the two rate factors in one go."""
_TIMES: Final = (0.6, 1.6)
"""Rates that are asked for, as shares of what the default factor gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """What came of encoding all frames."""

    kbps: float
    """Rate of the packets."""
    ssim: float
    """Mean structural similarity over all planes, 1 for equal pictures."""
    psnr_db: float
    """Mean signal-to-noise ratio over all planes."""

    @property
    def ssim_db(self) -> float:
        """The similarity on a scale on which the logarithm of the rate is nearly a line."""
        return -10 * math.log10(1 - self.ssim)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An average rate that was asked for."""

    target_kbps: int
    first_kbps: float
    """What the first rendering had."""
    last_kbps: float
    """What the last one had."""
    renderings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was measured of a codec."""

    codec: VideoCodec
    crf: int
    whole: Encoded
    """In one go."""
    chunked: Encoded
    """In chunks."""
    growth: float
    """By how much the chunks are larger at equal SSIM."""
    held: tuple[Held, ...]
    took_s: float


class _Source:
    """The frames of a song, drawn once and kept in a file."""

    def __init__(self, picture: Picture, frames: int, store: LocalStore, studio: Studio) -> None:
        video = picture.video
        self._width = video.width
        # It lives as long as this does.
        self._file = tempfile.TemporaryFile(prefix="midifarm-quality-")  # noqa: SIM115
        self._frame_bytes = video.width * video.height * 3 // 2
        for frame in studio.renderer(picture, store).frames(range(frames)):
            self._file.write(frame.to_ndarray().tobytes())

    def frames(self, span: Iterable[int]) -> Iterator[av.VideoFrame]:
        """Some of them."""
        for number in span:
            self._file.seek(number * self._frame_bytes)
            planes = np.frombuffer(self._file.read(self._frame_bytes), dtype=np.uint8)
            yield av.VideoFrame.from_numpy_buffer(
                planes.reshape(-1, self._width).copy(), format="yuv420p", width=self._width
            )


def _in_one_go(source: _Source, video: VideoSpec, span: FrameRange, chunk: int) -> bytes:
    """Encode with the very options that a chunk of so many frames has."""
    buffer = BytesIO()
    with av.open(buffer, "w", format="mp4") as file:
        stream = add_video_stream(file, video, chunk)
        for number, frame in enumerate(source.frames(span)):
            frame.pts, frame.time_base = number, 1 / video.fps
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return buffer.getvalue()


def _encode(
    source: _Source, video: VideoSpec, spans: Sequence[FrameRange], chunk: int | None = None
) -> Encoded:
    """Encode spans of frames apart, and compare them all with what was drawn."""
    size = 0
    similar: list[float] = []
    noise: list[float] = []
    for span in spans:
        if chunk is None:
            data = encode_segment(source.frames(span), video, span)
        else:
            data = _in_one_go(source, video, span, chunk)
        with av.open(BytesIO(data)) as container:
            size += sum(packet.size for packet in container.demux(video=0))
        with av.open(BytesIO(data)) as container:
            decoded = container.decode(video=0)
            pairs = zip(decoded, source.frames(span), strict=True)
            for ssim, mse in _compare(pairs, video):
                similar.append(ssim)
                noise.append(mse)
    mse = sum(noise) / len(noise)
    return Encoded(
        kbps=size * 8 / 1000 / (len(similar) / float(video.fps)),
        ssim=sum(similar) / len(similar),
        psnr_db=10 * math.log10(255**2 / mse) if mse else math.inf,
    )


def _compare(
    pairs: Iterable[tuple[av.VideoFrame, av.VideoFrame]], video: VideoSpec
) -> Iterator[tuple[float, float]]:
    """SSIM and mean squared error of each pair of frames."""
    graphs = []
    for name in ("ssim", "psnr"):
        graph = Graph()
        size = f"video_size={video.width}x{video.height}:pix_fmt=yuv420p:time_base={1 / video.fps}"
        sources = [graph.add("buffer", size) for _ in range(2)]
        method, sink = graph.add(name), graph.add("buffersink")
        for place, buffer in enumerate(sources):
            buffer.link_to(method, 0, place)
        method.link_to(sink)
        graph.configure()
        graphs.append((sources, sink, graph))
    for number, pair in enumerate(pairs):
        found = []
        for (sources, sink, _), key in zip(
            graphs, ("lavfi.ssim.All", "lavfi.psnr.mse_avg"), strict=True
        ):
            for buffer, frame in zip(sources, pair, strict=True):
                shown = frame.reformat(format="yuv420p")
                shown.pts, shown.time_base = number, 1 / video.fps
                buffer.push(shown)
            found.append(float(sink.pull().metadata[key]))
        yield found[0], found[1]


def measure(codec: VideoCodec, width: int, height: int, seconds: int) -> Finding:
    """Measure a codec; a process of its own."""
    began = time.perf_counter()
    crf = CODECS[codec].default_crf
    with tempfile.TemporaryDirectory(prefix="midifarm-quality-") as name, Studio() as studio:
        folder = Path(name)
        write_etude(folder / "etude.mid", seconds + 4)
        store = LocalStore(folder / "store")
        song_key, _ = take_midi(folder / "etude.mid", store)

        def picture(scale: int = 1, **facts: object) -> Picture:
            video = VideoSpec.model_validate(
                {"width": width // scale // 2 * 2, "height": height // scale // 2 * 2}
                | {"fps": FPS, "codec": codec, **facts}
            )
            return Picture(
                composition=find_style("aurora"),
                song_key=song_key,
                start_s=Fraction(0),
                video=video,
            )

        frames = int(seconds * FPS)
        drawn = picture(crf=crf)
        source = _Source(drawn, frames, store, studio)
        spans = chunk_ranges(frames, FPS, codec)
        everything = (FrameRange(0, frames),)
        chunked = _encode(source, drawn.video, spans)
        whole = _encode(source, drawn.video, everything, len(spans[0]))
        other = _encode(source, picture(crf=crf + _APART).video, everything, len(spans[0]))
        slope = math.log(whole.kbps / other.kbps) / (whole.ssim_db - other.ssim_db)
        as_good = whole.kbps * math.exp(slope * (chunked.ssim_db - whole.ssim_db))
        usual = _rendered(picture(2, crf=crf), frames, store, studio).last_kbps
        held = tuple(
            _rendered(picture(2, target_kbps=round(share * usual)), frames, store, studio)
            for share in _TIMES
        )
        return Finding(
            codec=codec,
            crf=crf,
            whole=whole,
            chunked=chunked,
            growth=chunked.kbps / as_good - 1,
            held=held,
            took_s=time.perf_counter() - began,
        )


def _rendered(picture: Picture, frames: int, store: LocalStore, studio: Studio) -> Held:
    """Survey, render and refit as an export does."""
    plan = ExportPlan(picture=picture, frames=frames, audio=None, engine=studio.engine)
    if plan.survey is not None:
        plan = plan.surveyed(survey(plan.survey, store, studio, untold))
    rates: list[float] = []
    following: ExportPlan | None = plan
    while following is not None:
        plan = following
        chunks = [render_chunk(one, store, studio, untold) for one in plan.whole().chunks]
        size = sum(one.size_bytes for one in chunks)
        rates.append(video_kbps(plan, size))
        following = refit(plan, size, 0)
    return Held(
        target_kbps=picture.video.target_kbps or 0,
        first_kbps=rates[0],
        last_kbps=rates[-1],
        renderings=len(rates),
    )


def main() -> None:
    """Print the tables; exit status 1 where a codec misses what is expected of it."""
    parser = argparse.ArgumentParser(prog="tests.bench.quality", description=__doc__)
    parser.add_argument("--size", default="1280x720", help="WIDTHxHEIGHT")
    parser.add_argument("--seconds", type=int, default=32, help="length, from 32 in 4 s chunks")
    parser.add_argument("--codecs", default=",".join(GROWTH), help="names, with commas")
    asked = parser.parse_args()
    width, height = (int(part) for part in asked.size.split("x"))
    chosen = [codec for codec in GROWTH if codec in asked.codecs.split(",")]
    with ProcessPoolExecutor(
        min(len(chosen), os.cpu_count() or 1), multiprocessing.get_context("spawn")
    ) as pool:
        work = [pool.submit(measure, codec, width, height, asked.seconds) for codec in chosen]
        findings = [one.result() for one in work]
    console = Console(width=110)
    console.print(
        _growth_table(findings, f"{asked.size}, {asked.seconds} s, chunks of the default length")
    )
    console.print(_rate_table(findings, f"average rates, {width // 2}x{height // 2}"))
    as_expected = all(
        one.growth <= GROWTH[one.codec]
        and all(is_held(rate.last_kbps, rate.target_kbps) for rate in one.held)
        for one in findings
    )
    raise SystemExit(0 if as_expected else 1)


def _growth_table(findings: Sequence[Finding], title: str) -> Table:
    table = Table(
        "codec", "crf", "kbit/s", "SSIM", "PSNR dB", "at equal SSIM", "at most", "s", title=title
    )
    for one in findings:
        whole, chunked = one.whole, one.chunked
        table.add_row(
            CODEC_NAMES[one.codec],
            str(one.crf),
            f"{whole.kbps:.0f} -> {chunked.kbps:.0f}",
            f"{whole.ssim:.5f} -> {chunked.ssim:.5f}",
            f"{whole.psnr_db:.2f} -> {chunked.psnr_db:.2f}",
            f"{one.growth:+.1%}",
            f"{GROWTH[one.codec]:+.0%}",
            f"{one.took_s:.0f}",
        )
    return table


def _rate_table(findings: Sequence[Finding], title: str) -> Table:
    table = Table(
        "codec", "asked kbit/s", "first rendering", "last rendering", "renderings", title=title
    )
    for one in findings:
        for rate in one.held:
            first, last = rate.first_kbps / rate.target_kbps, rate.last_kbps / rate.target_kbps
            table.add_row(
                CODEC_NAMES[one.codec],
                str(rate.target_kbps),
                f"{rate.first_kbps:.0f} ({first - 1:+.1%})",
                f"{rate.last_kbps:.0f} ({last - 1:+.1%})",
                str(rate.renderings),
            )
    return table


if __name__ == "__main__":
    main()

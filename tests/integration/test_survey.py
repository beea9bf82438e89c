"""Surveys: the rate that they promise is the rate that comes out, the palette that of one go."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.filter import Graph

from shared.errors import CancelledError, ClusterError
from shared.plan import Picture, SurveyReport, SurveySpec, VideoSpec, chunk_ranges
from shared.planning import ExportPlan
from shared.rates import is_held
from shared.storage import LocalStore
from shared.styles import find_style
from tests.songs import SongFile
from workers.chunk import render_chunk
from workers.progress import untold
from workers.studio import Studio
from workers.survey import PALETTE_FRAMES, SAMPLES, choose_samples, palette_frames, survey

pytestmark = pytest.mark.gl

FPS = 10
SECONDS = 40


def busy_song() -> SongFile:
    """A song that begins with a note now and then and ends with eight at a time."""
    song = SongFile()
    for step in range(SECONDS * 4):
        for voice in range(1 + step * 8 // (SECONDS * 4)):
            key = 40 + (step * 7 + voice * 5) % 45
            song.note(step / 4, step / 4 + 0.1875, key, velocity=60 + step % 60, track=voice % 3)
    return song


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    with Studio() as opened:
        yield opened


@pytest.fixture(scope="module")
def song_store(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    store = LocalStore(tmp_path_factory.mktemp("survey"))
    store.put_bytes("songs/busy.npz", busy_song().song().to_bytes())
    return store


def picture(**video: Any) -> Picture:
    facts: dict[str, Any] = {"width": 96, "height": 54, "fps": FPS} | video
    return Picture(
        composition=find_style("aurora"),
        song_key="songs/busy.npz",
        start_s=Fraction(0),
        video=VideoSpec.model_validate(facts),
    )


def plan(studio: Studio, seconds: int = SECONDS, **video: Any) -> ExportPlan:
    return ExportPlan(
        picture=picture(**video), frames=seconds * FPS, audio=None, engine=studio.engine
    )


def survey_of(export: ExportPlan) -> SurveySpec:
    assert export.survey is not None
    return export.survey


def packets_kbps(segments: list[bytes], seconds: int) -> float:
    """What the packets of segments amount to, as ffprobe counts the rate of a stream."""
    total = 0
    for data in segments:
        with av.open(BytesIO(data)) as container:
            total += sum(packet.size for packet in container.demux(video=0))
    return total * 8 / 1000 / seconds


@pytest.mark.parametrize(
    ("codec", "kbps"),
    [("h264", 40), ("h264", 100), ("h265", 30), ("vp9", 30), ("av1", 30), ("av1", 90)],
)
def test_the_first_rendering_holds_the_rate(
    codec: str, kbps: int, studio: Studio, song_store: LocalStore
) -> None:
    export = plan(studio, codec=codec, target_kbps=kbps)
    spec = survey_of(export)
    if codec != "av1":  # whose chunks are so long that each of them is looked at
        assert len(spec.ranges) > SAMPLES
    found = export.surveyed(survey(spec, song_store, studio, untold))
    chunks = [render_chunk(one, song_store, studio, untold) for one in found.whole().chunks]
    reached = packets_kbps([song_store.get_bytes(one.key) for one in chunks], SECONDS)
    assert is_held(reached, kbps), f"{reached:.1f} instead of {kbps}"


def test_what_needs_less_than_its_rate_gets_the_best_factor(
    studio: Studio, song_store: LocalStore
) -> None:
    found = survey(survey_of(plan(studio, 4, target_kbps=50_000)), song_store, studio, untold)
    assert found.crf == 1.0


def test_a_survey_is_the_same_every_time_and_is_found_again(
    studio: Studio, song_store: LocalStore, tmp_path: Path
) -> None:
    spec = survey_of(plan(studio, 8, target_kbps=100))
    other = LocalStore(tmp_path / "other")
    other.put_bytes("songs/busy.npz", song_store.get_bytes("songs/busy.npz"))
    first = survey(spec, song_store, studio, untold)
    assert survey(spec, other, studio, untold) == first
    stored = other.get_bytes(spec.key)
    assert stored == song_store.get_bytes(spec.key)
    assert first.size_bytes == len(stored)
    assert SurveyReport.model_validate_json(stored).crf == first.crf

    def refuses(_: int) -> None:
        raise CancelledError("Nothing is to be drawn.")

    assert survey(spec, other, studio, refuses) == first
    other.put_bytes(spec.key, b"{}")  # damaged: made again
    assert survey(spec, other, studio, untold) == first


def test_a_survey_stops_when_it_is_told_to(studio: Studio, song_store: LocalStore) -> None:
    spec = survey_of(plan(studio, target_kbps=77))
    heard = []

    def stop(frames: int) -> None:
        heard.append(frames)
        if len(heard) == 5:
            raise CancelledError("Enough.")

    with pytest.raises(CancelledError):
        survey(spec, song_store, studio, stop)
    assert heard == [0] * 5
    assert not song_store.exists(spec.key)


def test_a_survey_for_another_engine_is_refused(studio: Studio, song_store: LocalStore) -> None:
    spec = survey_of(plan(studio, target_kbps=77)).model_copy(update={"engine": "another"})
    with pytest.raises(ClusterError, match="another"):
        survey(spec, song_store, studio, untold)


def test_the_palette_is_what_a_single_pass_over_the_whole_piece_finds(
    studio: Studio, song_store: LocalStore
) -> None:
    export = plan(studio, 6, codec="gif", pixel_format="pal8")
    found = survey(survey_of(export), song_store, studio, untold)
    assert found.palette is not None
    assert export.picture is not None
    renderer = studio.renderer(export.picture, song_store)
    graph = Graph()
    source = graph.add("buffer", f"video_size=96x54:pix_fmt=rgba:time_base=1/{FPS}")
    palette, sink = graph.add("palettegen"), graph.add("buffersink")
    source.link_to(palette)
    palette.link_to(sink)
    graph.configure()
    for number in range(export.frames):
        pixels = np.frombuffer(renderer.pixels(number), dtype=np.uint8).reshape(54, 96, 4)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgba")
        frame.pts = number
        source.push(frame)
    source.push(None)
    assert sink.pull().to_ndarray().tobytes().hex() == found.palette


def test_a_palette_is_made_of_every_frame_or_of_every_nth() -> None:
    assert list(palette_frames(7)) == list(range(7))
    assert len(palette_frames(PALETTE_FRAMES)) == PALETTE_FRAMES
    assert palette_frames(PALETTE_FRAMES + 1).step == 2
    for frames in (1, 999, 1001, 123_456):
        chosen = palette_frames(frames)
        assert chosen[0] == 0
        assert len(chosen) <= PALETTE_FRAMES
        assert frames - chosen[-1] <= chosen.step


def test_samples_speak_for_all_chunks_from_the_quietest_to_the_busiest(studio: Studio) -> None:
    # Notes grow denser all the time, and go on after this part of the song.
    spec = survey_of(plan(studio, SECONDS - 4, target_kbps=77))
    song = busy_song().song()
    samples = choose_samples(spec, song)
    assert sum(sample.weight for sample in samples) == (SECONDS - 4) * FPS
    starts = [sample.frames.start for sample in samples]
    assert starts == sorted(starts)
    assert {sample.frames for sample in samples} <= set(spec.ranges)
    card = spec.picture.model_copy(update={"card_s": Fraction(24)})
    still = choose_samples(spec.model_copy(update={"picture": card}), song)
    assert still[0].frames.start >= 24 * FPS


def test_a_short_piece_is_encoded_whole(studio: Studio) -> None:
    spec = survey_of(plan(studio, 20, target_kbps=77))
    samples = choose_samples(spec, busy_song().song())
    assert sorted(sample.frames for sample in samples) == list(chunk_ranges(200, Fraction(FPS)))
    assert all(sample.weight == len(sample.frames) for sample in samples)

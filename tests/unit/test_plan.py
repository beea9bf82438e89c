"""The plan: every frame once, chunks of a good length, and keys that mean their bytes."""

from __future__ import annotations

import inspect
import json
import pickle
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.composition import Composition
from shared.plan import (
    CHUNK_S,
    CHUNKS_WANTED,
    LONG_CHUNK_S,
    SHORTEST_CHUNK_S,
    AudioSpec,
    ChunkSpec,
    Picture,
    Plan,
    VideoSpec,
    chunk_ranges,
    make_plan,
)
from shared.storage.keys import check_key
from shared.timebase import FRAME_RATES, FrameRange, frames_to_cover, samples_for

rates = st.sampled_from(sorted(FRAME_RATES.values()))
lengths = st.integers(1, 100_000) | st.integers(1, 2_000)

COMPOSITION: dict[str, Any] = {
    "layers": [{"type": "background", "colour": "#0b1020"}, {"type": "piano_roll"}]
}
VIDEO: dict[str, Any] = {
    "width": 1920,
    "height": 1080,
    "fps": "30",
    "crf": 18,
    "max_kbps": 8000,
    "profile": "high",
    "encoder_speed": "veryfast",
}
SONG = "songs/aa/aaaa.npz"
FRAMES = 300


def make_picture(
    *, layers: object = COMPOSITION["layers"], start_s: object = 0, song: str = SONG, **video: Any
) -> Picture:
    return Picture(
        composition=Composition.model_validate({**COMPOSITION, "layers": layers}),
        song_key=song,
        start_s=start_s,  # type: ignore[arg-type]  # read by the field's validator
        video=VideoSpec.model_validate(VIDEO | video),
    )


def make_audio(**changes: Any) -> AudioSpec:
    plain: dict[str, Any] = {
        "recording_key": "assets/bb/bbbb",
        "start_s": 0,
        "offset_s": "1/3",
        "samples": samples_for(FRAMES, Fraction(30), 48000),
        "sample_rate": 48000,
        "channels": 2,
        "bitrate_kbps": 192,
        "loudness_lufs": -14.0,
    }
    return AudioSpec.model_validate(plain | changes)


def plan_of(
    picture: Picture | None = None,
    *,
    frames: int = FRAMES,
    audio: AudioSpec | None = None,
    engine: str = "gl-1 av-1",
    shared: bool = False,
) -> Plan:
    return make_plan(
        picture=picture or make_picture(),
        frames=frames,
        audio=audio,
        engine=engine,
        shared_frames=shared,
    )


def keys_of(plan: Plan) -> list[str]:
    return [chunk.key for chunk in plan.chunks]


@given(lengths, rates)
def test_chunks_cover_every_frame_once_and_in_order(frames: int, fps: Fraction) -> None:
    edges = [edge for span in chunk_ranges(frames, fps) for edge in (span.start, span.stop)]
    assert edges[0] == 0
    assert edges[-1] == frames
    assert edges[1:-1:2] == edges[2::2]


@given(lengths, rates)
def test_chunks_are_equal_to_within_a_frame(frames: int, fps: Fraction) -> None:
    sizes = {len(span) for span in chunk_ranges(frames, fps)}
    assert max(sizes) - min(sizes) <= 1


@given(lengths, rates)
@example(44, Fraction(30))
@example(45, Fraction(30))
@example(59, Fraction(30))
@example(75, Fraction(30))
def test_chunks_last_a_second_unless_the_video_is_shorter(frames: int, fps: Fraction) -> None:
    shortest = min(len(span) for span in chunk_ranges(frames, fps))
    assert shortest >= min(frames, frames_to_cover(Fraction(SHORTEST_CHUNK_S), fps))


@given(lengths, rates)
def test_chunks_last_about_four_seconds_at_most(frames: int, fps: Fraction) -> None:
    # Rounding to a whole number of chunks stretches them by a half in CHUNKS_WANTED.
    longest = max(len(span) for span in chunk_ranges(frames, fps))
    stretch = 1 + Fraction(1, 2 * CHUNKS_WANTED)
    assert longest <= frames_to_cover(Fraction(CHUNK_S), fps) * stretch + 1


@given(st.integers(60, 100_000), rates)
def test_chunks_of_av1_are_longer(seconds: int, fps: Fraction) -> None:
    spans = chunk_ranges(frames_to_cover(Fraction(seconds), fps), fps, "av1")
    assert abs(len(spans[0]) / fps - LONG_CHUNK_S) < Fraction(3, 4)


@given(st.integers(40, 100_000), rates)
def test_chunks_of_a_long_video_last_close_to_four_seconds(seconds: int, fps: Fraction) -> None:
    spans = chunk_ranges(frames_to_cover(Fraction(seconds), fps), fps)
    duration_s = len(spans[0]) / fps
    assert abs(duration_s - CHUNK_S) < Fraction(1, 4)


@pytest.mark.parametrize("fps", FRAME_RATES.values(), ids=FRAME_RATES)
@pytest.mark.parametrize(("seconds", "fewest"), [(10, 6), (8, 7), (32, 8), (60, 14), (3, 2)])
def test_chunks_keep_several_cores_busy(seconds: int, fewest: int, fps: Fraction) -> None:
    spans = chunk_ranges(frames_to_cover(Fraction(seconds), fps), fps)
    assert len(spans) >= fewest


@given(st.integers(1, 29))
def test_chunks_of_a_very_short_video_are_one(frames: int) -> None:
    assert chunk_ranges(frames, Fraction(30)) == (FrameRange(0, frames),)


def test_a_plan_depends_on_the_export_and_nothing_else() -> None:
    assert set(inspect.signature(make_plan).parameters) == {
        "picture",
        "frames",
        "audio",
        "engine",
        "container",
        "gif_loop",
        "poster_frame",
        "max_bytes",
        "shared_frames",
    }
    assert plan_of(audio=make_audio()) == plan_of(audio=make_audio())


@given(st.integers(1, 20_000), rates)
def test_a_plan_stitches_its_own_chunks_in_order(frames: int, fps: Fraction) -> None:
    plan = plan_of(make_picture(fps=fps), frames=frames)
    assert [chunk.index for chunk in plan.chunks] == list(range(len(plan.chunks)))
    assert tuple(chunk.frames for chunk in plan.chunks) == chunk_ranges(frames, fps)
    assert plan.stitch.segment_keys == tuple(keys_of(plan))
    assert plan.stitch.frames == frames
    assert len(set(keys_of(plan))) == len(plan.chunks)


def test_a_plan_hands_its_sound_to_the_stitch() -> None:
    plan = plan_of(audio=make_audio())
    assert plan.audio is not None
    assert plan.audio.key
    assert plan.stitch.audio == plan.audio
    assert plan.audio.model_copy(update={"key": ""}) == make_audio()


def test_a_plan_for_a_silent_video_has_no_sound() -> None:
    plan = plan_of()
    assert plan.audio is None
    assert plan.stitch.audio is None


def test_a_plan_names_objects_that_a_store_can_hold() -> None:
    plan = plan_of(audio=make_audio())
    assert plan.audio is not None
    keys = [*keys_of(plan), plan.audio.key, plan.stitch.key]
    assert [check_key(key)[0] for key in keys] == [
        *("segments" for _ in plan.chunks),
        "audio",
        "exports",
    ]


def test_a_plan_without_a_frame_is_refused() -> None:
    with pytest.raises(ValidationError):
        plan_of(frames=0)


@pytest.mark.parametrize(
    "changed",
    [
        make_picture(layers=[{"type": "background", "colour": "#0b1021"}, {"type": "piano_roll"}]),
        make_picture(layers=COMPOSITION["layers"][::-1]),
        make_picture(layers=[*COMPOSITION["layers"], {"type": "keyboard"}]),
        make_picture(start_s="1/1000000"),
        make_picture(song="songs/aa/aaab.npz"),
        *(
            make_picture(**{name: value})
            for name, value in {
                "width": 1922,
                "height": 1082,
                "fps": "30000/1001",
                "crf": 19,
                "max_kbps": 8001,
                "profile": "main",
                "encoder_speed": "faster",
                "codec": "h265",
                "pixel_format": "yuv444p",
                "target_kbps": 4000,
                "hardware": True,
                "palette": "00ff00ff" * 256,
                "dither": "bayer",
            }.items()
        ),
    ],
)
def test_keys_of_all_segments_change_with_the_picture(changed: Picture) -> None:
    before, after = plan_of(), plan_of(changed)
    assert not set(keys_of(before)) & set(keys_of(after))
    assert before.stitch.key != after.stitch.key


def test_keys_change_with_every_setting_of_the_encoder() -> None:
    covered = {"width", "height", "fps", "crf", "max_kbps", "profile", "encoder_speed"}
    covered |= {"codec", "pixel_format", "target_kbps", "hardware", "palette", "dither"}
    assert VideoSpec.model_fields.keys() == covered, "a new field wants a case above"


def test_keys_change_with_the_engine() -> None:
    before, after = plan_of(audio=make_audio()), plan_of(audio=make_audio(), engine="gl-2 av-1")
    assert not set(keys_of(before)) & set(keys_of(after))
    assert before.audio is not None
    assert after.audio is not None
    assert before.audio.key != after.audio.key
    assert before.stitch.key != after.stitch.key


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_keys_of_two_chunks_are_equal_exactly_where_the_frames_are(a: int, b: int) -> None:
    for one in plan_of(frames=a).chunks:
        for other in plan_of(frames=b).chunks:
            assert (one.key == other.key) == (one.frames == other.frames)


@pytest.mark.parametrize(
    "change",
    [
        {"recording_key": "assets/bb/bbbc"},
        {"recording_key": None, "song_key": SONG, "soundfont_key": "assets/cc/cccc"},
        {"start_s": "1/2"},
        {"offset_s": 0},
        {"samples": 5},
        {"sample_rate": 44100},
        {"channels": 1},
        {"bitrate_kbps": 128},
        {"loudness_lufs": None},
        {"true_peak_dbtp": -2.0},
        {"fade_in_s": 1.0},
        {"fade_out_s": 1.0},
        {"codec": "opus"},
        {"heard_samples": 48000},
    ],
    ids=lambda change: "+".join(change),
)
def test_keys_of_sound_and_result_change_with_the_sound(change: dict[str, Any]) -> None:
    before, after = plan_of(audio=make_audio()), plan_of(audio=make_audio(**change))
    assert before.audio is not None
    assert after.audio is not None
    assert before.audio.key != after.audio.key
    assert before.stitch.key != after.stitch.key
    assert keys_of(before) == keys_of(after), "the picture is the same"


def test_keys_of_a_silent_video_share_the_segments_but_not_the_result() -> None:
    silent, loud = plan_of(), plan_of(audio=make_audio())
    assert keys_of(silent) == keys_of(loud)
    assert silent.stitch.key != loud.stitch.key


@pytest.mark.parametrize(
    "same",
    [
        make_picture(start_s=0.0),
        make_picture(start_s=Fraction(0)),
        make_picture(fps=30),
        make_picture(fps=30.0),
        make_picture(layers=[{"colour": "#0B1020", "type": "background"}, {"type": "piano_roll"}]),
        make_picture(
            layers=[{"type": "background", "dim": 0}, {"type": "piano_roll", "glow": 0.8}]
        ),
    ],
)
def test_keys_do_not_change_with_the_way_it_is_written(same: Picture) -> None:
    assert plan_of(same) == plan_of()


PLAN = plan_of(make_picture(start_s="1001/30000"), audio=make_audio())


@pytest.mark.parametrize(
    "spec",
    [PLAN, PLAN.chunks[1], PLAN.audio, PLAN.stitch],
    ids=lambda spec: type(spec).__name__,
)
def test_plans_travel_as_json_and_as_pickles(spec: Plan | ChunkSpec | AudioSpec) -> None:
    assert type(spec).model_validate_json(spec.model_dump_json()) == spec
    assert type(spec).model_validate(json.loads(json.dumps(spec.model_dump(mode="json")))) == spec
    copy = pickle.loads(pickle.dumps(spec))  # noqa: S301  # our own bytes
    assert copy == spec
    assert copy.model_dump_json() == spec.model_dump_json()


def test_plans_write_frame_ranges_and_exact_times_readably() -> None:
    plain = PLAN.chunks[1].model_dump(mode="json")
    assert plain["frames"] == {"start": 37, "stop": 75}
    assert plain["picture"]["start_s"] == "1001/30000"
    assert plain["picture"]["video"]["fps"] == "30"


def test_plans_refuse_fields_that_nobody_knows() -> None:
    plain = PLAN.model_dump(mode="json")
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Plan.model_validate(plain | {"workers": 4})


def test_plans_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        PLAN.chunks[0].index = 7  # type: ignore[misc]


def test_shared_frames_have_one_key_whatever_they_are_encoded_as() -> None:
    def kept(**video: Any) -> list[str | None]:
        return [chunk.frames_key for chunk in plan_of(make_picture(**video), shared=True).chunks]

    assert None not in kept()
    assert kept() == kept(crf=30, max_kbps=None, profile="main", encoder_speed="slow")
    assert kept() == kept(codec="h265", profile="main")
    assert not set(kept()) & set(kept(width=1280))
    assert not set(kept()) & set(kept(pixel_format="yuv444p", profile="high444"))
    assert all(chunk.frames_key is None for chunk in plan_of().chunks)


def test_sound_alone_has_no_chunks() -> None:
    plan = make_plan(picture=None, frames=0, audio=make_audio(), engine="gl-1", container="m4a")
    assert plan.chunks == ()
    assert plan.stitch.key.endswith(".m4a")
    assert plan.stitch.audio == plan.audio
    with pytest.raises(ValidationError):
        make_plan(picture=None, frames=0, audio=None, engine="gl-1", container="m4a")

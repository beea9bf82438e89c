"""Frames, seconds, samples and ticks agree exactly, however long the video is."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import lcm

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.timebase import (
    FRAME_RATES,
    FrameRange,
    FrameRate,
    Seconds,
    frame_at,
    frame_time,
    frame_to_pts,
    frames_to_cover,
    parse_frame_rate,
    parse_seconds,
    pts_to_frame,
    samples_for,
)

TEN_HOURS_AT_60 = 10 * 3600 * 60
MILLISECOND = Fraction(1, 1000)

rates = st.sampled_from(sorted(FRAME_RATES.values()))
frames = st.integers(0, 10**12)
sample_rates = st.sampled_from([44100, 48000])


@given(frames, rates)
@example(TEN_HOURS_AT_60, Fraction(60000, 1001))
def test_a_frame_is_on_screen_from_its_time_until_the_next_frames(
    frame: int, fps: Fraction
) -> None:
    shown, next_shown = frame_time(frame, fps), frame_time(frame + 1, fps)
    assert next_shown - shown == 1 / fps
    assert frame_at(shown, fps) == frame
    assert frame_at(next_shown - Fraction(1, 10**18), fps) == frame
    assert frame_at(next_shown, fps) == frame + 1


@given(frames, rates)
def test_frame_times_never_drift(frame: int, fps: Fraction) -> None:
    assert frame_time(frame, fps) == frame * frame_time(1, fps)
    assert frame_time(frame, fps) * fps == frame


@given(st.fractions(min_value=0, max_value=10**9), rates)
def test_a_duration_is_covered_by_the_fewest_frames(duration_s: Fraction, fps: Fraction) -> None:
    count = frames_to_cover(duration_s, fps)
    assert frame_time(count, fps) >= duration_s
    assert count == 0 or frame_time(count - 1, fps) < duration_s


@given(frames, rates)
def test_frames_cover_their_own_duration(count: int, fps: Fraction) -> None:
    assert frames_to_cover(frame_time(count, fps), fps) == count


@given(frames, rates, st.integers(1, 1000))
def test_ticks_of_a_frame_are_exact(frame: int, fps: Fraction, factor: int) -> None:
    time_base = 1 / (fps * factor)
    pts = frame_to_pts(frame, fps, time_base)
    assert pts * time_base == frame_time(frame, fps)
    assert pts == frame * factor
    assert pts_to_frame(pts, fps, time_base) == frame


@given(frames, rates)
def test_one_time_base_expresses_every_frame_rate(frame: int, fps: Fraction) -> None:
    finest = Fraction(1, lcm(*(rate.numerator for rate in FRAME_RATES.values())))
    assert pts_to_frame(frame_to_pts(frame, fps, finest), fps, finest) == frame


def test_a_time_base_that_is_too_coarse_is_refused() -> None:
    assert frame_to_pts(3, Fraction(30), MILLISECOND) == 100
    with pytest.raises(ValueError, match=r"frame 1 at 30 fps has no exact tick of 1/1000 s"):
        frame_to_pts(1, Fraction(30), MILLISECOND)


@given(frames, rates, st.sampled_from([round, int, lambda ms: -int(-ms // 1)]))
def test_a_frame_is_found_again_after_rounding_to_milliseconds(
    frame: int, fps: Fraction, rounded: type[int]
) -> None:
    pts = rounded(frame_time(frame, fps) / MILLISECOND)
    assert pts_to_frame(pts, fps, MILLISECOND) == frame


def test_a_timestamp_half_way_belongs_to_the_later_frame() -> None:
    assert pts_to_frame(19, Fraction(25), MILLISECOND) == 0
    assert pts_to_frame(20, Fraction(25), MILLISECOND) == 1


@given(frames, rates, sample_rates)
@example(TEN_HOURS_AT_60, Fraction(60000, 1001), 44100)
def test_sound_is_never_half_a_sample_off(count: int, fps: Fraction, sample_rate: int) -> None:
    exact = count / fps * sample_rate
    assert -Fraction(1, 2) < samples_for(count, fps, sample_rate) - exact <= Fraction(1, 2)


@given(frames, st.integers(0, 10**6), rates, sample_rates)
def test_sound_in_pieces_is_as_long_as_in_one(
    first: int, second: int, fps: Fraction, sample_rate: int
) -> None:
    whole = samples_for(first + second, fps, sample_rate)
    pieces = samples_for(first, fps, sample_rate) + samples_for(second, fps, sample_rate)
    assert abs(whole - pieces) <= 1


@given(st.integers(0, 10**6), rates, sample_rates)
def test_sound_of_whole_periods_adds_up_exactly(
    periods: int, fps: Fraction, sample_rate: int
) -> None:
    period = fps.numerator  # so many frames last a whole number of seconds
    assert (
        samples_for(periods * period, fps, sample_rate) == periods * fps.denominator * sample_rate
    )


@pytest.mark.parametrize(
    ("count", "fps", "sample_rate", "samples"),
    [
        (30, "30", 48000, 48000),
        (1, "30000/1001", 48000, 1602),  # 1601.6
        (5, "30000/1001", 48000, 8008),
        (1, "60", 44100, 735),
        (1, "24", 44100, 1838),  # 1837.5 rounds up
        (0, "25", 44100, 0),
    ],
)
def test_samples_are_rounded_half_up(count: int, fps: str, sample_rate: int, samples: int) -> None:
    assert samples_for(count, FRAME_RATES[fps], sample_rate) == samples


@given(st.integers(0, 10**9), st.integers(0, 500))
def test_a_frame_range_holds_its_start_and_not_its_stop(start: int, length: int) -> None:
    span = FrameRange(start, start + length)
    assert len(span) == length
    assert list(span) == list(range(start, start + length))
    assert span.stop not in list(span)
    assert str(span) == f"[{start}, {start + length})"


@given(st.lists(st.integers(0, 10**6), min_size=3, max_size=3).map(sorted))
def test_a_frame_range_neighbours_share_no_frame_and_leave_none_out(edges: list[int]) -> None:
    first, middle, last = edges
    left, right = FrameRange(first, middle), FrameRange(middle, last)
    assert len(left) + len(right) == len(FrameRange(first, last))
    assert left <= right


@pytest.mark.parametrize(("start", "stop"), [(-1, 3), (4, 3), (-2, -1)])
def test_a_frame_range_refuses_what_is_no_range(start: int, stop: int) -> None:
    with pytest.raises(ValueError, match=rf"\[{start}, {stop}\) is not a range of frames"):
        FrameRange(start, stop)


def test_a_frame_range_is_read_and_written_as_json() -> None:
    adapter = TypeAdapter(FrameRange)
    assert adapter.dump_json(FrameRange(3, 7)) == b'{"start":3,"stop":7}'
    assert adapter.validate_json('{"start":3,"stop":7}') == FrameRange(3, 7)
    with pytest.raises(ValidationError, match=r"\[7, 3\) is not a range of frames"):
        adapter.validate_json('{"start":7,"stop":3}')


@pytest.mark.parametrize(
    ("written", "fps"),
    [
        *((name, rate) for name, rate in FRAME_RATES.items()),
        *((rate, rate) for rate in FRAME_RATES.values()),
        (30, Fraction(30)),
        (30.0, Fraction(30)),
        (" 25 ", Fraction(25)),
        ("60.0", Fraction(60)),
        ("23.976", Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        (Decimal("59.94"), Fraction(60000, 1001)),
    ],
)
def test_frame_rates_are_read(written: object, fps: Fraction) -> None:
    assert parse_frame_rate(written) == fps


@pytest.mark.parametrize(
    "written",
    [
        "",
        "0",
        "-30",
        0,
        16,
        31,
        120,
        "30fps",
        "30/1",
        "29.9",
        "1e9",
        None,
        True,
        float("nan"),
        b"30",
    ],
)
def test_other_frame_rates_are_refused_with_those_that_would_do(written: object) -> None:
    with pytest.raises(
        ValueError, match="is not a supported frame rate; use one of 10, "
    ) as caught:
        parse_frame_rate(written)
    assert all(name in str(caught.value) for name in FRAME_RATES)


@pytest.mark.parametrize(
    ("written", "time_s"),
    [
        (0, Fraction(0)),
        (0.1, Fraction(1, 10)),
        ("12.5", Fraction(25, 2)),
        ("-3", Fraction(-3)),
        ("1/3", Fraction(1, 3)),
        (Fraction(1001, 30000), Fraction(1001, 30000)),
        (1e-7, Fraction(1, 10**7)),
        (".5", Fraction(1, 2)),
    ],
)
def test_times_are_read_exactly(written: object, time_s: Fraction) -> None:
    assert parse_seconds(written) == time_s


@pytest.mark.parametrize(
    "written",
    ["", "abc", "1:30", "1/0", "1/2e3", float("inf"), float("nan"), None, "1e999999999", "9" * 300],
)
def test_what_is_no_time_is_refused_at_once(written: object) -> None:
    with pytest.raises(ValueError, match="is no time in seconds"):
        parse_seconds(written)


class Clip(BaseModel):
    """A model with exact fields."""

    fps: FrameRate
    start_s: Seconds


@given(rates, st.fractions(max_denominator=10**12, min_value=-(10**9), max_value=10**9))
def test_exact_fields_survive_json(fps: Fraction, start_s: Fraction) -> None:
    clip = Clip(fps=fps, start_s=start_s)
    assert Clip.model_validate_json(clip.model_dump_json()) == clip
    assert clip.model_dump(mode="json") == {"fps": str(fps), "start_s": str(start_s)}


def test_a_wrong_exact_field_is_a_finding_like_any_other() -> None:
    with pytest.raises(ValidationError) as caught:
        Clip.model_validate({"fps": "12", "start_s": "1/0"})
    assert [finding["loc"] for finding in caught.value.errors()] == [("fps",), ("start_s",)]


@pytest.mark.parametrize("written", ["1e-99", "9.99999999999999999999e99", "-1e-99"])
def test_the_smallest_and_the_largest_time_survive_json(written: str) -> None:
    clip = Clip(fps=Fraction(30), start_s=parse_seconds(written))
    assert Clip.model_validate_json(clip.model_dump_json()) == clip

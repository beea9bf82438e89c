"""Whether a rendering holds its rate and fits its platform, and if not, the plan to render next.

Pure: a function of the plan and of the sizes that came out. Two rules are kept:

- **An average rate** (``target_kbps``) is held by the packets of the video, without what
  containers and sound add, to within rates.LEAST and rates.MOST. The survey finds the factor that
  does; what its samples did not show is mended here. After RATE_RENDERINGS the best rendering is
  kept. A picture that needs less than the rate even at the best factor of its codec stays below:
  there is nothing to fill it with.
- **A size** (``max_bytes``) is never exceeded. The rate is lowered until the whole file fits, and
  after SIZE_RENDERINGS the export fails.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final

from shared.codecs import CODEC_NAMES, CODECS
from shared.errors import CompositionError
from shared.plan import Picture, VideoSpec, chunk_ranges
from shared.planning import ExportPlan, Rendering
from shared.rates import (
    AIM,
    MOST,
    Measured,
    crf_for,
    crf_step,
    is_held,
    packet_bytes,
)

RATE_RENDERINGS: Final = 3
"""Each costs as much as the whole export: then the nearest is good enough."""
SIZE_RENDERINGS: Final = 4
"""Each is smaller than the one before by as much as the file was too large."""

_ROOM: Final = 0.99
"""What of the limit is aimed at."""
_ROOM_ON_A_LINE: Final = 0.97
"""A factor's rate is a guess."""
_PEAK: Final = 1.5
"""How far the rate may rise over its average for two seconds, where a cap is set at all."""
_CAP: Final = 0.9
"""A cap holds the average below itself, but for a few per cent where it begins anew."""
_INDEX_PER_FRAME: Final = 48
"""Bytes of index that a frame and the sound beside it may add to those of the parts: in an mp4
where every packet is a chunk of its own 16 and, of sound at 48 kHz and 30 fps, 25."""


def refit(plan: ExportPlan, segments_bytes: int, audio_bytes: int) -> ExportPlan | None:
    """What must be rendered again after a rendering of the plan came out; None if it stands.

    Args:
        plan: The plan that was rendered, surveyed; ``earlier`` tells of renderings before it.
        segments_bytes: Length of all its segments together; 0 for sound alone.
        audio_bytes: Length of its encoded sound; 0 for silence.

    Raises:
        CompositionError: The file is too large for its platform and cannot be made smaller.
    """
    size_bytes = file_bytes(plan, segments_bytes, audio_bytes)
    picture, limit = plan.picture, plan.max_bytes
    if limit is not None and _cannot_shrink(plan):
        # Nothing is gained by a rounded size: the file itself will say whether it fits.
        size_bytes = segments_bytes + audio_bytes
    if limit is not None and size_bytes > limit:
        return _smaller(plan, segments_bytes, audio_bytes)
    if picture is None or picture.video.target_kbps is None or picture.video.crf is None:
        return None
    return _nearer(plan, picture, segments_bytes, audio_bytes)


def file_bytes(plan: ExportPlan, segments_bytes: int, audio_bytes: int) -> int:
    """Length of the finished file, rounded up by what its index may add."""
    return segments_bytes + audio_bytes + _INDEX_PER_FRAME * plan.frames


def video_kbps(plan: ExportPlan, segments_bytes: int) -> float:
    """Average rate of the packets of the video, kbit/s."""
    picture = plan.picture
    assert picture is not None  # noqa: S101  # sound alone has no segments
    segments = len(chunk_ranges(plan.frames, picture.video.fps, picture.video.codec))
    payload = packet_bytes(segments_bytes, picture.video.codec, plan.frames, segments)
    return payload * 8 / 1000 / float(plan.duration_s)


def _nearer(
    plan: ExportPlan, picture: Picture, segments_bytes: int, audio_bytes: int
) -> ExportPlan | None:
    """The next plan towards an average rate."""
    video = picture.video
    target, crf = video.target_kbps, video.crf
    assert target is not None  # noqa: S101  # the caller has looked
    assert crf is not None  # noqa: S101
    if is_held(video_kbps(plan, segments_bytes), target):
        return None
    if any(one.crf == crf and one.max_kbps == video.max_kbps for one in plan.earlier):
        return None  # the best of what was tried
    seen = _seen(plan, segments_bytes)
    if len(seen) < RATE_RENDERINGS:
        step = _step(plan, video)
        found = crf_for(AIM * target, seen, video.codec, step)
        if found is not None:
            return _next(plan, segments_bytes, crf=found)
    limit = math.inf if plan.max_bytes is None else plan.max_bytes
    sizes = [*(one.size_bytes for one in plan.earlier), segments_bytes]
    fitting = [
        one
        for one, size in zip(seen, sizes, strict=True)
        if file_bytes(plan, size, audio_bytes) <= limit
    ]
    best = min(fitting, key=lambda one: abs(math.log(one.kbps / (AIM * target))))
    return None if best.crf == crf else _next(plan, segments_bytes, crf=best.crf)


def _smaller(plan: ExportPlan, segments_bytes: int, audio_bytes: int) -> ExportPlan:
    """The next plan towards a size.

    Raises:
        CompositionError: There is none.
    """
    assert plan.max_bytes is not None  # noqa: S101  # the caller has looked
    size = file_bytes(plan, segments_bytes, audio_bytes)
    told = f"The file has {_mib(size)} where its platform takes {_mib(plan.max_bytes)}"
    if plan.picture is None:
        raise CompositionError(f"{told}: lower the bitrate of its sound, or cut it with --end.")
    video = plan.picture.video
    name = CODEC_NAMES[video.codec]
    if _cannot_shrink(plan):
        raise CompositionError(
            f"{told}, and {name} has no rate that could be lowered: make the picture smaller, "
            "take fewer frames a second, or cut it with --end."
        )
    spent = size - video_kbps(plan, segments_bytes) * 125 * float(plan.duration_s)
    budget_kbps = (plan.max_bytes * _ROOM - spent) * 8 / 1000 / float(plan.duration_s)
    hopeless = f"{told} even at the lowest rate that was tried: cut it with --end, or make it"
    if budget_kbps < 1:
        raise CompositionError(f"{told}: its sound alone fills it. Lower the sound's bitrate.")
    if len(plan.earlier) + 1 >= SIZE_RENDERINGS:
        raise CompositionError(f"{hopeless} smaller.")
    assert video.crf is not None  # noqa: S101  # what can shrink has one
    seen = _seen(plan, segments_bytes)
    step = _step(plan, video)
    changes: dict[str, object] = {}
    if video.target_kbps is not None:
        target = int(budget_kbps / MOST)
        if target < 1:
            raise CompositionError(f"{hopeless} smaller.")
        changes["target_kbps"] = min(video.target_kbps, target)
        aim_kbps = AIM * min(video.target_kbps, target)
    else:
        aim_kbps = _ROOM_ON_A_LINE * budget_kbps
        last = len(plan.earlier) + 2 >= SIZE_RENDERINGS
        if video.max_kbps is not None or last:
            cap = math.ceil(budget_kbps * (_CAP if last else _PEAK))
            changes["max_kbps"] = min(video.max_kbps or cap, cap)
    # What was larger than it may be counts as above, even within the margin of what is aimed at.
    higher = [one for one in seen if one.crf <= video.crf] or seen
    raised = crf_for(aim_kbps, _at_least(higher, video.crf, aim_kbps), video.codec, step)
    lowered_cap = changes.get("max_kbps", video.max_kbps) != video.max_kbps
    if raised is not None:
        changes["crf"] = raised
    elif not lowered_cap:
        raise CompositionError(f"{hopeless} smaller.")
    return _next(plan, segments_bytes, **changes)


def _step(plan: ExportPlan, video: VideoSpec) -> Fraction:
    return crf_step(video.crf_grid, len(chunk_ranges(plan.frames, video.fps, video.codec)))


def _at_least(seen: list[Measured], crf: float, aim_kbps: float) -> list[Measured]:
    """What was seen, the last rendering counted as above the rate that is aimed at."""
    return [
        Measured(crf=one.crf, kbps=max(one.kbps, aim_kbps * 1.001)) if one.crf == crf else one
        for one in seen
    ]


def _cannot_shrink(plan: ExportPlan) -> bool:
    return plan.picture is None or CODECS[plan.picture.video.codec].crf is None


def _seen(plan: ExportPlan, segments_bytes: int) -> list[Measured]:
    """What earlier renderings gave, and this one."""
    assert plan.picture is not None  # noqa: S101  # sound alone is not rendered
    video = plan.picture.video
    this = Rendering(crf=video.crf, max_kbps=video.max_kbps, size_bytes=segments_bytes)
    return [
        Measured(crf=one.crf, kbps=video_kbps(plan, one.size_bytes))
        for one in (*plan.earlier, this)
        if one.crf is not None
    ]


def _next(plan: ExportPlan, segments_bytes: int, **changes: object) -> ExportPlan:
    """The plan with its picture encoded otherwise, and this rendering remembered."""
    assert plan.picture is not None  # noqa: S101  # sound alone is not rendered
    video = plan.picture.video
    missed = Rendering(crf=video.crf, max_kbps=video.max_kbps, size_bytes=segments_bytes)
    return plan.with_video(**changes).model_copy(update={"earlier": (*plan.earlier, missed)})


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:.1f} MiB"

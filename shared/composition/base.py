"""What all settings of a composition have in common."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.animation import Animated

Fraction01 = Annotated[float, Field(ge=0, le=1)]


class Plain(BaseModel):
    """Settings without numbers that move."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Placed(Animated):
    """What has a place of its own in the frame, whatever its shape."""

    area: Literal["roll", "frame"] = Field(
        default="roll",
        description="What it is placed in, as far as platforms leave it free: where notes "
        "travel, or the whole frame.",
    )
    x: Fraction01 = Field(
        default=0.5,
        description="Place across: 0 is at the left edge, 1 at the right one, and between them "
        "that part of the room which is left.",
    )
    y: Fraction01 = Field(
        default=0.5, description="Place downwards: 0 is at the upper edge, 1 at the lower one."
    )
    margin: float = Field(
        default=3.0,
        ge=0,
        le=50,
        description="Distance kept from the edges of the area in % of the short side, as far as "
        "there is room: what fills its area touches them.",
    )
    opacity: Fraction01 = Field(default=1.0, description="How far it covers what is behind it.")

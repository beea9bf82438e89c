"""Sparks, dust, stars and bubbles: thousands of small lights, each flying by a formula."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.colour import linear_rgba
from shared.composition import ParticlesLayer
from workers.gl.paintbox import Paintbox
from workers.gl.painter import QuadBrush
from workers.layers.births import DRAWN, Births, burst, stream
from workers.layers.chance import Hashes, hashed, luck
from workers.layers.crowds import loudness
from workers.layers.flight import swirl, thrown
from workers.layers.scene import Floats, Moment, Scene

Numbers = NDArray[np.float64]

_SHUTTER_S: Final = 1 / 32
"""A spark is drawn as long as the way that it flies in this time."""
_SLIM: Final = 0.72
"""Breadth of a spark beside that of a dot."""
_FADE_IN_S: Final = 0.03
_THINNEST_PX: Final = 1.3
"""What is smaller is drawn in this size and dimmer: else it would flicker between pixels."""

# What is left to luck.
_SPEED, _ANGLE, _ACROSS, _SIZE, _HEAT, _BLINK, _PHASE, _LIFE, _DOWN, _TINT = range(10)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Swarm:
    """Particles that live at a moment, (n,) each."""

    chance: Hashes
    x: Numbers
    """Place in the frame in pixels."""
    y: Numbers
    vx: Numbers
    """Velocity in pixels a second."""
    vy: Numbers
    age_s: Numbers
    life_part: Floats
    """How much of its life each has behind it, 0 to 1."""
    light: Floats
    """Brightness."""
    colour: Floats
    """Linear, (n, 3)."""


class Particles:
    """Draws the particles that live at a moment; none knows of the frame before.

    Gravity pulls towards the keyboard where notes travel up or down, and down the frame where
    they travel across it.
    """

    still = None

    def __init__(self, paintbox: Paintbox, scene: Scene, settings: ParticlesLayer) -> None:
        """Prepare the brush."""
        layout = scene.layout
        self._scene, self._settings = scene, settings
        self.moving = layout.frame
        self._unit_px = layout.short_side / 100
        ahead = -1.0 if layout.forward else 1.0
        self._ahead = ahead
        self._pull = (0.0, -ahead) if layout.vertical else (0.0, 1.0)
        options = {"dust": [], "spark": ["SPARK"], "star": ["STAR"], "ring": ["RING"]}
        self._brush = QuadBrush(
            paintbox,
            "glow",
            {"box": 4, "breadth": 1, "colour": 3},
            options=options[settings.form],
        )

    def draw_still(self) -> None:
        """Nothing stands still."""

    def draw(self, moment: Moment) -> None:
        """Draw the particles."""
        settings = self._settings
        if settings.amount <= 0 or settings.strength <= 0:
            return
        match settings.source:
            case "ambient":
                swarm = self._motes(moment.video_s)
            case "strikes":
                births = burst(self._scene, settings, moment.song_s)
                swarm = self._flying(births, moment.song_s)
            case "sounding":
                births = stream(self._scene, settings, moment.song_s)
                swarm = self._flying(births, moment.song_s)
        self._brush.draw(self._rows(swarm))

    def _flying(self, births: Births, now: float) -> _Swarm:
        """The particles of notes, where they have come to."""
        scene, settings, unit_px = self._scene, self._settings, self._unit_px
        note, chance, age_s = births.note, births.chance, births.age_s

        # They start on the hit line, across the lane.
        lanes = scene.lanes[scene.notes.key[note]]
        across = (luck(chance, _ACROSS) - 0.5) * (lanes[:, 1] - lanes[:, 0]) * 0.8
        pitch, hit_px = lanes.mean(axis=1) + across, scene.layout.hit_px
        x, y = scene.bent(pitch, hit_px)
        ahead_x, ahead_y = scene.bent(pitch, hit_px + self._ahead)  # a pixel towards the roll
        ahead_x, ahead_y = ahead_x - x, ahead_y - y

        loud = loudness(scene.notes.velocity[note])
        speed = settings.speed * unit_px * (0.12 + 0.88 * luck(chance, _SPEED) ** 1.3)
        speed *= 0.55 + 0.45 * loud
        angle = self._angle(chance)
        sine, cosine = np.sin(angle), np.cos(angle)
        vx = speed * (ahead_x * cosine - ahead_y * sine)
        vy = speed * (ahead_x * sine + ahead_y * cosine)
        way_s, fall_s2, left = thrown(age_s, settings.drag)
        gx, gy = (part * settings.gravity * unit_px for part in self._pull)
        x, y = x + vx * way_s + gx * fall_s2, y + vy * way_s + gy * fall_s2
        x, y = self._carried(x, y, now, -np.expm1(-1.8 * age_s))
        fade = np.minimum(age_s / _FADE_IN_S + 0.35, 1) * (1 - births.life_part) ** 1.2
        return _Swarm(
            chance=chance,
            x=x,
            y=y,
            vx=vx * left + gx * way_s,
            vy=vy * left + gy * way_s,
            age_s=age_s,
            life_part=births.life_part,
            light=(fade * loud * births.counts).astype(np.float32),
            colour=self._fixed_colour(len(note)) if settings.colour else scene.colours[note],
        )

    def _motes(self, now: float) -> _Swarm:
        """What floats everywhere: it comes, drifts and goes, and comes again elsewhere."""
        layout, settings, unit_px = self._scene.layout, self._settings, self._unit_px
        number = np.arange(settings.amount)
        always = hashed(number, settings.seed)
        life_s = settings.life_s * (0.5 + 0.5 * luck(always, _LIFE).astype(np.float64))
        lives = now / life_s + luck(always, _PHASE)
        life_part = lives - np.floor(lives)
        chance = hashed(number, np.floor(lives), settings.seed)
        age_s = life_part * life_s
        # The near ones are larger, faster and out of focus.
        near = 0.35 + 0.65 * (1 - luck(chance, _SIZE))
        speed = settings.speed * unit_px * near * (0.4 + 0.6 * luck(chance, _SPEED))
        angle = self._angle(chance)
        sine, cosine = np.sin(angle), np.cos(angle)
        ahead_x, ahead_y = (0.0, self._ahead) if layout.vertical else (self._ahead, 0.0)
        # Falling has long come to rest against the air.
        sink = settings.gravity * unit_px * near / max(settings.drag, 0.5)
        vx = speed * (ahead_x * cosine - ahead_y * sine) + self._pull[0] * sink
        vy = speed * (ahead_x * sine + ahead_y * cosine) + self._pull[1] * sink
        # They leave and enter where nobody sees it.
        beyond = (settings.turbulence + 4 * settings.size) * unit_px
        wide, high = layout.width + 2 * beyond, layout.height + 2 * beyond
        x = (luck(chance, _ACROSS) * wide + vx * age_s) % wide - beyond
        y = (luck(chance, _DOWN) * high + vy * age_s) % high - beyond
        x, y = self._carried(x, y, now, np.ones(1))
        if settings.colour:
            colour = self._fixed_colour(len(number))
        else:
            palette = [linear_rgba(one)[:3] for one in self._scene.composition.colouring.palette]
            colour = np.array(palette, dtype=np.float32)[
                (luck(chance, _TINT) * len(palette)).astype(np.int64)
            ]
        return _Swarm(
            chance=chance,
            x=x,
            y=y,
            vx=vx,
            vy=vy,
            age_s=age_s,
            life_part=np.full(len(number), 0.25, dtype=np.float32),
            light=(np.sin(math.pi * life_part) ** 2 * (1.25 - near)).astype(np.float32),
            colour=colour,
        )

    def _angle(self, chance: Hashes) -> Floats:
        """Into which direction each flies, in radians from straight ahead, (n,)."""
        spread = self._settings.spread_deg / 360
        off = 2 * luck(chance, _ANGLE) - 1
        # A narrow fan is densest in its middle; what flies everywhere is so evenly.
        off = np.copysign(np.abs(off) ** (1 + 0.6 * (1 - spread)), off)
        return (off * np.float32(math.pi * spread)).astype(np.float32)

    def _carried(
        self, x: Numbers, y: Numbers, now: float, part: Numbers
    ) -> tuple[Numbers, Numbers]:
        """Places in pixels to which eddies carry those who have been there for long enough."""
        settings, short_px = self._settings, self._scene.layout.short_side
        if settings.turbulence <= 0:
            return x, y
        by_x, by_y = swirl(x / short_px, y / short_px, now, settings.seed)
        far_px = settings.turbulence * self._unit_px * part
        return x + by_x * far_px, y + by_y * far_px

    def _fixed_colour(self, count: int) -> Floats:
        """The one colour of all, float32 (n, 3)."""
        red, green, blue, alpha = linear_rgba(self._settings.colour or "#ffffff")
        return np.tile(np.array([red, green, blue], dtype=np.float32) * alpha, (count, 1))

    def _rows(self, swarm: _Swarm) -> Floats:
        """What is drawn, float32 (n, 8)."""
        settings, chance, part = self._settings, swarm.chance, swarm.life_part
        hot = luck(chance, _HEAT)
        radius = settings.size * self._unit_px * (1 - settings.size_spread * luck(chance, _SIZE))
        # What burns grows smaller, what drifts spreads.
        radius = radius * (0.75 + 0.5 * part if settings.form == "dust" else 1 - 0.55 * part)
        if settings.form != "ring":
            radius = radius * DRAWN
        if settings.form == "star":  # only the brightest have rays that are seen
            radius = radius * (1.2 + 2.4 * np.maximum(hot - 0.4, 0))
        if settings.form == "spark":
            radius = radius * _SLIM

        # White-hot at first, then the colour of the note, at last a deeper tone of it.
        heat = np.exp(-5 * part) * (0.35 + 0.65 * hot)
        own = swarm.colour
        deep = own * own / np.maximum(own.max(axis=1, keepdims=True), 1e-6)
        colour = own + (deep - own) * (0.6 * part)[:, None]
        colour = colour + (1 - colour) * (settings.whiteness * heat)[:, None]
        beat = math.tau * (3 + 8 * luck(chance, _BLINK)) * swarm.age_s
        wink = 0.5 + 0.5 * np.sin(beat + math.tau * luck(chance, _PHASE))
        light = swarm.light * settings.strength * (0.4 + 0.6 * hot + heat)
        light = light * (1 - settings.twinkle * wink)
        thin = np.minimum(radius / _THINNEST_PX, 1)
        light, radius = light * thin * thin, np.maximum(radius, _THINNEST_PX)

        rows = np.zeros((len(radius), 8), dtype=np.float32)
        rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 4] = swarm.x, swarm.y, radius, radius
        if settings.form == "spark":
            # Its head is where it is, and behind that the way that it came.
            speed = np.hypot(swarm.vx, swarm.vy) + 1e-6
            half_way = speed * (_SHUTTER_S / 2)
            for axis, velocity in enumerate((swarm.vx, swarm.vy)):
                towards = velocity / speed
                rows[:, axis] -= towards * half_way
                rows[:, axis + 2] = towards * (half_way + radius)
            resting = speed < 1e-3
            rows[resting, 2] = radius[resting]
            light = light / (1 + 0.25 * half_way / radius)  # much the same light on a longer way
        rows[:, 5:8] = colour * light[:, None]
        return rows

"""The renderer: draws any frame of a picture, alone and in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import av
import moderngl

from shared.codecs import has_alpha, is_deep
from shared.composition import BACKDROPS, Composition
from shared.layout import Rect
from shared.plan import Picture
from shared.timebase import frame_time
from workers.gl.context import check_errors
from workers.gl.finish import Finisher
from workers.gl.paintbox import Paintbox
from workers.gl.readback import Readback, choose_readback
from workers.gl.resolve import Resolved
from workers.gl.target import Canvas, Target
from workers.hearing import Hearing
from workers.layers import Layer, Moment, make_layer, prepare_scene
from workers.layers.branding import branding_layers
from workers.layers.end_card import EndCardLayer
from workers.midi import Song
from workers.signals import Signals


class Renderer:
    """Draws the frames of one picture.

    What stands still is drawn once, into the plate, and copied under every frame; what moves is
    drawn over it. A layer whose settings move is made anew for every frame, from what they are
    then. Nothing else is kept between frames, so a frame does not depend on those before it.

    Where a composition has a finish, its layers are drawn into a canvas that holds light of any
    strength, and the finish brings it into the target. Branding is laid over that, untouched.
    """

    def __init__(
        self,
        context: moderngl.Context,
        picture: Picture,
        song: Song,
        asset: Callable[[str], Path],
        *,
        hearing: Hearing | None = None,
    ) -> None:
        """Prepare the layers.

        Args:
            context: The context to draw in.
            picture: What the frames show.
            song: The analysed MIDI that it names.
            asset: Finds the local file of an asset by its object key.
            hearing: What is heard, where the composition listens.
        """
        self._context = context
        self._picture = picture
        self._composition = composition = picture.composition
        video = picture.video
        size = (video.width, video.height)
        self._paintbox = Paintbox(context, size, asset)
        self._scene = prepare_scene(
            composition,
            song,
            *size,
            picture.safe_area,
            hearing=hearing,
            heard_offset_s=float(picture.heard.offset_s) if picture.heard else 0.0,
        )
        alpha, deep = has_alpha(video.pixel_format), is_deep(video.pixel_format)
        self._target = Target(context, size, deep=deep)
        self._finisher: Finisher | None = None
        if composition.finish is None:
            self._canvas: Target | Canvas = self._target
            self._plate: Target | Canvas = Target(context, size, deep=deep)
        else:
            self._canvas, self._plate = Canvas(context, size), Canvas(context, size)
            self._finisher = Finisher(self._paintbox, self._canvas, self._target)
        # What is recomposed lies elsewhere, or has other colours, in every frame.
        keyboard = composition.keyboard
        self._recomposes = (
            composition.stage.animated
            or composition.colouring.animated
            or (keyboard is not None and "length" in keyboard.animate)
        )
        self._shown = [
            place
            for place, settings in enumerate(composition.layers)
            if not (alpha and isinstance(settings, BACKDROPS))
        ]
        # Those that move are made too: now their assets are at hand.
        self._layers = [
            make_layer(self._paintbox, self._scene, composition.layers[place])
            for place in self._shown
        ]
        self._branding = branding_layers(self._paintbox, self._scene, picture)
        self._card = next((one for one in self._branding if isinstance(one, EndCardLayer)), None)
        self._resolved = (
            Resolved(self._paintbox, self._target, alpha=alpha) if alpha or deep else None
        )
        self._readback: Readback = choose_readback(
            self._paintbox, self._target, video.pixel_format, self._resolved
        )
        self._plate.framebuffer.use()
        self._plate.framebuffer.clear(0.0, 0.0, 0.0, 0.0 if alpha else 1.0)
        self._on_plate = self._draw_plate()
        check_errors(context, "the still picture was drawn")

    def _draw_plate(self) -> list[bool]:
        """Draw what may be drawn before everything that moves; for each layer whether it was.

        Branding comes after the layers, and is among them where nothing is finished.
        """
        frame = self._scene.layout.frame
        areas: list[tuple[Rect | None, Rect | None]] = [
            (None, frame) if self._moves(place) else (layer.still, layer.moving)
            for place, layer in zip(self._shown, self._layers, strict=True)
        ]
        layers = list(self._layers)
        if self._finisher is None:
            areas += [(layer.still, layer.moving) for layer in self._branding]
            layers += self._branding
        on_plate = still_on_plate(areas)
        for layer, drawn in zip(layers, on_plate, strict=True):
            if drawn:
                layer.draw_still()
        return on_plate + [False] * (len(self._layers) + len(self._branding) - len(layers))

    def _moves(self, place: int) -> bool:
        """Whether the settings of a layer are others in every frame."""
        return self._recomposes or self._composition.layers[place].animated

    def moment(self, frame: int) -> Moment:
        """The time that a frame shows."""
        video_s = frame_time(frame, self._picture.video.fps)
        return Moment(song_s=float(self._picture.start_s + video_s), video_s=float(video_s))

    def draw(self, frame: int) -> None:
        """Draw a frame into the target."""
        self.draw_moment(self.moment(frame))

    def draw_moment(self, moment: Moment) -> None:
        """Draw what is seen at a time into the target."""
        # A blit between the two kinds of target converts colours with some drivers only.
        if self._card is not None and self._card.covers(moment) and not self._target.deep:
            self._context.copy_framebuffer(self._target.framebuffer, self._card.plate)
            return
        self._context.copy_framebuffer(self._canvas.framebuffer, self._plate.framebuffer)
        self._canvas.framebuffer.use()
        now = self._composition.at(Signals(self._scene, moment))
        layers = len(self._layers)
        self._draw_layers(self._layers_at(now), self._on_plate[:layers], moment)
        if self._finisher is not None and now.finish is not None:
            self._finisher.draw(now.finish, moment.video_s)
            self._target.framebuffer.use()
        self._draw_layers(self._branding, self._on_plate[layers:], moment)

    def _layers_at(self, now: Composition) -> Sequence[Layer]:
        """The layers of a composition as it is at a moment."""
        if now is self._composition:
            return self._layers
        scene = self._scene.recomposed(now) if self._recomposes else self._scene
        return [
            make_layer(self._paintbox, scene, now.layers[place]) if self._moves(place) else layer
            for place, layer in zip(self._shown, self._layers, strict=True)
        ]

    def _draw_layers(
        self, layers: Sequence[Layer], on_plate: Sequence[bool], moment: Moment
    ) -> None:
        for layer, drawn in zip(layers, on_plate, strict=True):
            if not drawn:
                layer.draw_still()
            layer.draw(moment)

    def frames(self, frames: Iterable[int]) -> Iterator[av.VideoFrame]:
        """Draw frames and yield them one by one, each valid until the next is asked for.

        They are in the pixel format of the video; those of a GIF are rgb24.

        Raises:
            GLError: OpenGL reported an error.
        """
        yield from self._readback.stream(frames, self.draw)
        check_errors(self._context, "frames were drawn")

    def pixels(self, frame: int) -> bytes:
        """A frame as rows of RGBA bytes, sRGB with straight alpha, from the top."""
        self.draw(frame)
        shown = self._target if self._resolved is None else self._resolved
        if self._resolved is not None:
            self._resolved.draw()
        data: bytes = shown.framebuffer.read(components=4)
        return data


def still_on_plate(areas: Iterable[tuple[Rect | None, Rect | None]]) -> list[bool]:
    """For each layer, whether its still part may be drawn before everything that moves.

    It may where nothing that moves lies beneath it.

    Args:
        areas: What the still and the moving part of each layer may touch, from the back.
    """
    beneath: list[Rect] = []
    answers = []
    for still, moving in areas:
        answers.append(still is not None and not any(still.meets(area) for area in beneath))
        if still is not None and not answers[-1]:
            beneath.append(still)  # drawn each frame, it covers like what moves
        if moving is not None:
            beneath.append(moving)
    return answers

"""The renderer: draws any frame of a picture, alone and in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import av
import moderngl

from shared.codecs import has_alpha, is_deep
from shared.composition import BackgroundLayer
from shared.layout import Rect
from shared.plan import Picture
from shared.timebase import frame_time
from workers.gl.context import check_errors
from workers.gl.readback import Readback, choose_readback
from workers.gl.resolve import Resolved
from workers.gl.target import Target
from workers.layers import Layer, Moment, make_layer, prepare_scene
from workers.layers.branding import branding_layers
from workers.layers.end_card import EndCardLayer
from workers.midi import Song


class Renderer:
    """Draws the frames of one picture.

    What stands still is drawn once, into the plate, and copied under every frame; what moves is
    drawn over it. Nothing else is kept between frames, so a frame does not depend on those
    before it.
    """

    def __init__(
        self,
        context: moderngl.Context,
        picture: Picture,
        song: Song,
        asset: Callable[[str], Path],
    ) -> None:
        """Prepare the layers.

        Args:
            context: The context to draw in.
            picture: What the frames show.
            song: The analysed MIDI that it names.
            asset: Finds the local file of an asset by its object key.
        """
        self._context = context
        self._picture = picture
        video = picture.video
        scene = prepare_scene(
            picture.composition, song, video.width, video.height, asset, picture.safe_area
        )
        alpha, deep = has_alpha(video.pixel_format), is_deep(video.pixel_format)
        self._target = Target(context, video.width, video.height, deep=deep)
        self._plate = Target(context, video.width, video.height, deep=deep)
        self._layers = [
            make_layer(context, scene, settings)
            for settings in picture.composition.layers
            if not (alpha and isinstance(settings, BackgroundLayer))
        ]
        self._layers += branding_layers(context, scene, picture)
        self._card = next((one for one in self._layers if isinstance(one, EndCardLayer)), None)
        self._resolved = (
            Resolved(context, self._target, scene.layout, alpha=alpha) if alpha or deep else None
        )
        self._readback: Readback = choose_readback(
            context, self._target, scene.layout, video.pixel_format, self._resolved
        )
        self._on_plate = still_on_plate(self._layers)
        self._plate.framebuffer.use()
        self._plate.framebuffer.clear(0.0, 0.0, 0.0, 0.0 if alpha else 1.0)
        for layer, on_plate in zip(self._layers, self._on_plate, strict=True):
            if on_plate:
                layer.draw_still()
        check_errors(context, "the still picture was drawn")

    def moment(self, frame: int) -> Moment:
        """The time that a frame shows."""
        video_s = frame_time(frame, self._picture.video.fps)
        return Moment(song_s=float(self._picture.start_s + video_s), video_s=float(video_s))

    def draw(self, frame: int) -> None:
        """Draw a frame into the target."""
        self.draw_moment(self.moment(frame))

    def draw_moment(self, moment: Moment) -> None:
        """Draw what is seen at a time into the target."""
        framebuffer = self._target.framebuffer
        # A blit between the two kinds of target converts colours with some drivers only.
        if self._card is not None and self._card.covers(moment) and not self._target.deep:
            self._context.copy_framebuffer(framebuffer, self._card.plate)
            return
        self._context.copy_framebuffer(framebuffer, self._plate.framebuffer)
        framebuffer.use()
        for layer, on_plate in zip(self._layers, self._on_plate, strict=True):
            if not on_plate:
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


def still_on_plate(layers: Iterable[Layer]) -> list[bool]:
    """For each layer, whether its still part may be drawn before everything that moves.

    It may where nothing that moves lies beneath it.
    """
    beneath: list[Rect] = []
    answers = []
    for layer in layers:
        still = layer.still
        answers.append(still is not None and not any(still.meets(area) for area in beneath))
        if still is not None and not answers[-1]:
            beneath.append(still)  # drawn each frame, it covers like what moves
        if layer.moving is not None:
            beneath.append(layer.moving)
    return answers

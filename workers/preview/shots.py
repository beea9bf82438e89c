"""The piece of a preview, and stills of it: exactly the frames that an export would show."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from PIL import Image, ImageDraw

from shared.codecs import has_alpha
from shared.errors import CompositionError
from shared.export import ExportConfiguration
from shared.intake import Intake
from shared.plan import Picture
from shared.planning import Span, Wanted, picture_of, video_range
from shared.preview import SHEET_FRAMES, PreviewSpec
from shared.storage import ObjectStore
from shared.timebase import frame_at
from workers.preview.images import fitted, over_black
from workers.progress import Progress
from workers.studio import Studio
from workers.text import load_font

_COLUMNS: Final = 4
_GROUND: Final = (17, 17, 17)
_INK: Final = (200, 200, 200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What would be exported."""

    configuration: ExportConfiguration
    """What file would come out."""
    intake: Intake
    """What is in its files."""
    span: Span
    """The part of the song."""
    picture: Picture
    """What its frames show."""
    music_frames: int
    """Frames before an end card."""
    frames: int
    """All its frames."""
    warnings: tuple[str, ...]
    """What the musician should know of it."""

    def frame(self, at_s: Fraction) -> int:
        """The frame on screen at a video time; the last one for any time after the end."""
        return min(frame_at(at_s, self.picture.video.fps), self.frames - 1)


def plan_piece(spec: PreviewSpec, store: ObjectStore, studio: Studio) -> Piece:
    """Take the files of a preview in, and plan as for an export.

    Raises:
        InputError: A file is not what it should be, or there is nothing to see.
        StorageError: The object store failed.
    """
    if spec.intake is None or spec.configuration is None:
        raise CompositionError(f"A {spec.kind} needs a song and the configuration of an export.")
    if spec.configuration.format.picture is None:
        raise CompositionError(
            f"{spec.configuration.format.container} is sound alone: there is nothing to preview."
        )
    intake = studio.intake(spec.intake, store)
    wanted = Wanted(
        song=spec.intake.names.get(spec.intake.midi_key, "the MIDI file"),
        configuration=spec.configuration,
        start_s=Fraction(spec.intake.start_s).limit_denominator(1_000_000),
        end_s=None
        if spec.intake.end_s is None
        else Fraction(spec.intake.end_s).limit_denominator(1_000_000),
    )
    span, warnings = video_range(wanted, intake)
    picture, music_frames, frames = picture_of(spec.configuration, intake, span)
    length_s = float(frames / picture.video.fps)
    if spec.at_s >= length_s:
        warnings.append(f"The video lasts {length_s:.2f} s: its last frame is shown.")
    return Piece(
        configuration=spec.configuration,
        intake=intake,
        span=span,
        picture=picture,
        music_frames=music_frames,
        frames=frames,
        warnings=(*intake.warnings, *warnings),
    )


def still(piece: Piece, frame: int, store: ObjectStore, studio: Studio) -> Image.Image:
    """A frame in the size of the export, before it is encoded; transparent where that is."""
    video = piece.picture.video
    data = studio.renderer(piece.picture, store).pixels(frame)
    picture = Image.frombytes("RGBA", (video.width, video.height), data)
    return picture if has_alpha(video.pixel_format) else picture.convert("RGB")


def sheet(
    piece: Piece, width: int, store: ObjectStore, studio: Studio, progress: Progress
) -> Image.Image:
    """A contact sheet of 12 stills, 4 by 3, each from the middle of its twelfth of the video.

    Under each stands its video time in minutes and seconds.
    """
    video = piece.picture.video
    gap = max(2, width // 128)
    tile = min(video.width, max(8, (width - (_COLUMNS + 1) * gap) // _COLUMNS))
    tile_height = max(1, round(video.height * tile / video.width))
    letters = max(8, round(tile * 0.075))
    font = load_font(letters)
    step = (tile + gap, tile_height + gap + round(letters * 1.5))
    rows = -(-SHEET_FRAMES // _COLUMNS)
    whole = Image.new("RGB", (gap + _COLUMNS * step[0], gap + rows * step[1]), _GROUND)
    pen = ImageDraw.Draw(whole)
    for index in range(SHEET_FRAMES):
        progress(0)
        frame = piece.frames * (2 * index + 1) // (2 * SHEET_FRAMES)
        picture = over_black(fitted(still(piece, frame, store, studio), tile))
        left = gap + index % _COLUMNS * step[0]
        top = gap + index // _COLUMNS * step[1]
        whole.paste(picture, (left, top))
        below = (left + tile / 2, top + tile_height + letters * 0.25)
        pen.text(below, timecode(frame / video.fps), fill=_INK, font=font, anchor="ma")
    return whole


def timecode(time_s: Fraction) -> str:
    """A video time as people read it: ``1:02.50``, with hours ``1:00:02.50``; rounded down."""
    hundredths = (time_s * 100).__floor__()
    seconds, hundredths = divmod(hundredths, 100)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}" if hours else str(minutes)
    return f"{clock}:{seconds:02}.{hundredths:02}"

"""The options that say what file comes out, shared by every command that makes one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from coordinator.cli.options import with_bundle
from shared.branding import Position
from shared.codecs import AudioCodec, Container, EncoderSpeed, PixelFormat, Profile, VideoCodec

_FORMAT: Final = "File format and picture"
_QUALITY: Final = "Quality"
_SOUND: Final = "Sound"
_BRANDING: Final = "Branding"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """What was asked for beside a preset; None where nothing was."""

    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json",
            help="A whole export configuration instead of a preset, as `midifarm presets --json` "
            "prints them.",
        ),
    ] = None
    format: Annotated[
        Container | None,
        typer.Option(
            rich_help_panel=_FORMAT,
            help="File format: zip holds PNG images; m4a, mp3 and ogg are sound alone. "
            "`midifarm formats` lists what goes into each.",
        ),
    ] = None
    video_codec: Annotated[
        VideoCodec | None, typer.Option(rich_help_panel=_FORMAT, help="Codec of the picture.")
    ] = None
    size: Annotated[
        str | None,
        typer.Option(
            metavar="WxH",
            rich_help_panel=_FORMAT,
            help="Another size than the preset's, in pixels. A GIF is 480 wide without it.",
        ),
    ] = None
    fps: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_FORMAT,
            help="Another frame rate: 10, 15, 20, 24, 25, 30, 50, 60, 24000/1001, 30000/1001, "
            "60000/1001. A GIF has 15 without it.",
        ),
    ] = None
    alpha: Annotated[
        bool,
        typer.Option(
            "--alpha",
            rich_help_panel=_FORMAT,
            help="Leave the background out, for laying over something else: ProRes 4444 in mov, "
            "VP9 in webm, PNG in zip.",
        ),
    ] = False
    pixel_format: Annotated[
        PixelFormat | None,
        typer.Option(
            rich_help_panel=_FORMAT, help="What is encoded: yuv420p10le for 10 bits, for example."
        ),
    ] = None
    loop: Annotated[
        int | None,
        typer.Option(
            rich_help_panel=_FORMAT, help="How often a GIF is played again; 0 for ever, -1 not."
        ),
    ] = None
    dither: Annotated[
        Literal["bayer", "sierra2_4a", "floyd_steinberg", "none"] | None,
        typer.Option(rich_help_panel=_FORMAT, help="How a GIF hints at colours that it lacks."),
    ] = None
    too_long: Annotated[
        Literal["refuse", "cut", "fade"] | None,
        typer.Option(
            rich_help_panel=_FORMAT,
            help="What becomes of a video that its platform would not take whole.",
        ),
    ] = None
    bitrate: Annotated[
        int | None,
        typer.Option(
            metavar="KBPS",
            rich_help_panel=_QUALITY,
            help="Alone the average rate of the picture, held over the whole video, in place of "
            "the preset's quality; beside --crf a cap.",
        ),
    ] = None
    crf: Annotated[
        int | None,
        typer.Option(
            rich_help_panel=_QUALITY,
            help="Alone constant quality without a cap; less is better, and each codec has a "
            "scale of its own.",
        ),
    ] = None
    profile: Annotated[
        Profile | None, typer.Option(rich_help_panel=_QUALITY, help="Of h264 and h265.")
    ] = None
    encoder_speed: Annotated[
        EncoderSpeed | None,
        typer.Option(rich_help_panel=_QUALITY, help="How long the encoder may look for savings."),
    ] = None
    hardware: Annotated[
        bool,
        typer.Option(
            "--hardware",
            rich_help_panel=_QUALITY,
            help="Use a hardware encoder where the workers have one: `midifarm doctor` names them.",
        ),
    ] = False
    audio_codec: Annotated[
        AudioCodec | None, typer.Option(rich_help_panel=_SOUND, help="Codec of the sound.")
    ] = None
    audio_bitrate: Annotated[
        int | None, typer.Option(metavar="KBPS", rich_help_panel=_SOUND, help="Its rate.")
    ] = None
    sample_rate: Annotated[
        int | None,
        typer.Option(
            metavar="HZ", rich_help_panel=_SOUND, help="Samples a second: 44100 or 48000."
        ),
    ] = None
    channels: Annotated[
        int | None, typer.Option(rich_help_panel=_SOUND, help="Channels: 1 for mono, 2 for stereo.")
    ] = None
    no_audio: Annotated[
        bool, typer.Option("--no-audio", rich_help_panel=_SOUND, help="A silent video.")
    ] = False
    loudness: Annotated[
        float | None,
        typer.Option(
            metavar="LUFS",
            rich_help_panel=_SOUND,
            help="What the sound is brought to (EBU R128); -14 in every preset.",
        ),
    ] = None
    no_normalization: Annotated[
        bool,
        typer.Option(
            "--no-normalization", rich_help_panel=_SOUND, help="Leave the loudness as it is."
        ),
    ] = False
    fade_in: Annotated[
        float | None,
        typer.Option(metavar="S", rich_help_panel=_SOUND, help="Fade of the sound at the start."),
    ] = None
    fade_out: Annotated[
        float | None,
        typer.Option(metavar="S", rich_help_panel=_SOUND, help="Fade of the sound at the end."),
    ] = None
    template: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE.json",
            rich_help_panel=_BRANDING,
            help="Branding with a name, such as clean-minimal or social-media-pack, or a file of "
            "your own; the options below change it.",
        ),
    ] = None
    watermark: Annotated[
        str | None,
        typer.Option(metavar="FILE", rich_help_panel=_BRANDING, help="An image over the video."),
    ] = None
    watermark_position: Annotated[
        Position | None, typer.Option(rich_help_panel=_BRANDING, help="Where it stands.")
    ] = None
    watermark_opacity: Annotated[
        float | None,
        typer.Option(
            metavar="0-1",
            rich_help_panel=_BRANDING,
            help="How opaque it is: 0 invisible, 1 opaque.",
        ),
    ] = None
    watermark_scale: Annotated[
        float | None,
        typer.Option(
            metavar="0-1",
            rich_help_panel=_BRANDING,
            help="Its width as a fraction of the frame's.",
        ),
    ] = None
    end_card: Annotated[
        float | None,
        typer.Option(
            metavar="S",
            rich_help_panel=_BRANDING,
            help="A still picture after the music, for so many seconds; 3 if only one of the "
            "next is given.",
        ),
    ] = None
    end_text: Annotated[
        str | None, typer.Option(rich_help_panel=_BRANDING, help="A sentence on the end card.")
    ] = None
    end_colour: Annotated[
        str | None,
        typer.Option(metavar="#RRGGBB", rich_help_panel=_BRANDING, help="Its background."),
    ] = None
    end_font: Annotated[
        str | None,
        typer.Option(metavar="FILE", rich_help_panel=_BRANDING, help="A font of your own for it."),
    ] = None
    logo: Annotated[
        str | None,
        typer.Option(metavar="FILE", rich_help_panel=_BRANDING, help="An image on the end card."),
    ] = None
    handle: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PLATFORM=NAME",
            rich_help_panel=_BRANDING,
            help="Where you can be found, on the end card: youtube=@me. Once for each place.",
        ),
    ] = None
    qr: Annotated[
        bool | None,
        typer.Option(
            "--qr/--no-qr",
            rich_help_panel=_BRANDING,
            show_default=False,
            help="A QR code on the end card, which leads to the first handle.",
        ),
    ] = None
    qr_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL", rich_help_panel=_BRANDING, help="Where the QR code leads instead."
        ),
    ] = None

    @property
    def changes_anything(self) -> bool:
        """Whether the export is to be otherwise than its preset."""
        return self != OutputOptions()


with_outputs: Final = with_bundle(OutputOptions, "outputs")
"""Gives a command these options; it is called with ``outputs``, an OutputOptions."""

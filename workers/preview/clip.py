"""A short clip: drawn, heard and stitched by what makes exports, small and quick."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Final

from shared.plan import AudioSpec, ChunkSpec, Picture, StitchSpec, VideoSpec
from shared.planning import audio_spec
from shared.preview import LONGEST_CLIP_S
from shared.storage import ObjectStore
from shared.timebase import FrameRange, frame_at, samples_for
from workers.audio import prepare_audio
from workers.chunk import render_chunk
from workers.preview.draft import DraftStore
from workers.preview.shots import Piece
from workers.progress import Progress
from workers.stitch import stitch
from workers.studio import Studio

WIDEST: Final = 640
"""Pixels per row of a clip: 30 frames a second of it take a second on one core."""
_FPS: Final = Fraction(30)
_SLOW_FPS: Final = Fraction(15)
"""Of what would have fewer than 24 frames a second, such as a GIF."""
_CRF: Final = 25
_SAMPLE_RATE: Final = 48000
_AUDIO_KBPS: Final = 128
_SEGMENT_KEY: Final = "draft/clip.segment"
_SOUND_KEY: Final = "draft/clip.sound"
_CLIP_KEY: Final = "draft/clip.mp4"


def make_clip(
    piece: Piece, at_s: float, width: int, store: ObjectStore, studio: Studio, progress: Progress
) -> tuple[bytes, VideoSpec]:
    """An mp4 of up to LONGEST_CLIP_S from a video time on, and what its picture is encoded as.

    It is H.264 with AAC whatever the export would be, without transparency; the loudness is that
    of the clip, not that of the whole.

    Raises:
        RenderError: Drawing, encoding or stitching went wrong.
        CancelledError: ``progress`` said so.
        StorageError: The object store failed.
    """
    picture = _small(piece, width)
    fps = picture.video.fps
    length_s = piece.frames / piece.picture.video.fps
    last = max(0, (length_s * fps).__ceil__() - 1)
    first = min(frame_at(Fraction(at_s).limit_denominator(1_000_000), fps), last)
    span = FrameRange(first, min(last + 1, first + int(LONGEST_CLIP_S * fps)))
    with tempfile.TemporaryDirectory(prefix="midifarm-") as folder:
        draft = DraftStore(store, Path(folder))
        chunk = ChunkSpec(
            index=0, frames=span, picture=picture, engine=studio.engine, key=_SEGMENT_KEY
        )
        render_chunk(chunk, draft, studio, lambda _: progress(0))
        sound = _sound(piece, span, fps)
        if sound is not None:
            prepare_audio(sound, draft, progress)
        stitch(
            StitchSpec(
                segment_keys=(_SEGMENT_KEY,),
                frames=len(span),
                video=picture.video,
                audio=sound,
                key=_CLIP_KEY,
            ),
            draft,
            lambda _: progress(0),
        )
        return draft.get_bytes(_CLIP_KEY), picture.video


def _small(piece: Piece, width: int) -> Picture:
    """The same picture, few pixels of it."""
    video = piece.picture.video
    small = max(16, min(width, WIDEST, video.width) // 2 * 2)
    height = max(16, round(video.height * small / video.width / 2) * 2)
    return piece.picture.model_copy(
        update={
            "video": VideoSpec(
                width=small,
                height=height,
                fps=_FPS if video.fps >= Fraction(24000, 1001) else _SLOW_FPS,
                crf=_CRF,
                profile="high",
                encoder_speed="superfast",
            )
        }
    )


def _sound(piece: Piece, span: FrameRange, fps: Fraction) -> AudioSpec | None:
    """What is heard in those frames; None for silence."""
    start_s = span.start / fps
    samples = samples_for(len(span), fps, _SAMPLE_RATE)
    music_s = piece.music_frames / piece.picture.video.fps
    heard = round((music_s - start_s) * _SAMPLE_RATE)
    if heard <= 0:
        return None
    whole = audio_spec(
        piece.configuration,
        piece.intake,
        piece.span,
        samples=samples,
        heard_samples=heard if heard < samples else None,
    )
    return whole and whole.model_copy(
        update={
            "start_s": whole.start_s + start_s,
            "sample_rate": _SAMPLE_RATE,
            "codec": "aac",
            "bitrate_kbps": _AUDIO_KBPS,
            "fade_in_s": whole.fade_in_s if span.start == 0 else 0.0,
            "fade_out_s": whole.fade_out_s if heard <= samples else 0.0,
            "key": _SOUND_KEY,
        }
    )

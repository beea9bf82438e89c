"""Whether a finished file is the export that was planned, before it is handed over.

Nothing is decoded: a video of ten minutes takes under a second. What the picture shows
is guarded elsewhere, when each segment is committed.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import av

from shared.codecs import Container
from shared.errors import VerificationError
from shared.plan import AudioSpec, VideoSpec
from workers.probe.animation import animation_problems
from workers.probe.movie import movie_problems
from workers.probe.sequence import sequence_problems


def verify_export(
    path: Path,
    *,
    video: VideoSpec | None,
    frames: int,
    audio: AudioSpec | None,
    container: Container = "mp4",
    gif_loop: int = 0,
    segments: int = 1,
) -> None:
    """Make sure that a finished file is what was planned; see check_export.

    Raises:
        VerificationError: It is not; the message names every difference, and
            ``facts["problems"]`` is their list.
    """
    problems = check_export(
        path,
        video=video,
        frames=frames,
        audio=audio,
        container=container,
        gif_loop=gif_loop,
        segments=segments,
    )
    if problems:
        raise VerificationError(
            f"The finished {'video' if video else 'sound'} is not as planned: "
            f"{'; '.join(problems)}.",
            problems=problems,
        )


def check_export(
    path: Path,
    *,
    video: VideoSpec | None,
    frames: int,
    audio: AudioSpec | None,
    container: Container = "mp4",
    gif_loop: int = 0,
    segments: int = 1,
) -> list[str]:
    """What is different in a finished file from what was planned; empty if nothing is.

    Args:
        path: The finished file.
        video: What the picture was to be encoded as; None for sound alone.
        frames: How many frames it was to have.
        audio: What the sound was to be; None for a video without.
        container: What file it was to be.
        gif_loop: How often a GIF was to be played again; 0 for ever, -1 not.
        segments: From how many it was made: each begins with a key frame.
    """
    try:
        if container == "gif" and video is not None:
            return list(animation_problems(path, video, frames, gif_loop))
        if container == "zip" and video is not None:
            return list(sequence_problems(path, video, frames))
        return list(movie_problems(path, container, video, frames, audio, segments))
    except (av.FFmpegError, ValueError, OSError, zipfile.BadZipFile) as exc:
        return [f"it cannot be read as {container}: {exc}"]

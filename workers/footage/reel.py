"""An opened video file, any frame of which can be decoded."""

from __future__ import annotations

import itertools
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from shared.errors import MediaError
from workers.footage.index import Index, Start, read_index
from workers.probe.opening import FOOTAGE_FORMATS, open_media
from workers.probe.signature import describe_file

MOST_PIXELS_A_SIDE: Final = 8192
"""Wider or higher frames are refused: twice 4K, and the most that most textures can hold."""
_WANTED: Final = "use an MP4 (H.264), MOV, WebM or GIF"
_WITH_ALPHA: Final = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Decoders that give out the alpha channel, which libav's own leave out."""


class Reel:
    """A video file; a frame is found by its time in ticks of the file's clock.

    The same time gives the same frame, whatever was asked for before: every frame is decoded from
    the beginning that the index has for it, through the same packets, by one thread of a decoder
    that has seen nothing else. (One that was emptied only still fills up what is damaged with what
    it saw before.)
    """

    def __init__(self, path: Path) -> None:
        """Open a file and read its index; it may be deleted afterwards.

        Raises:
            MediaError: It is no video that can be used.
            OSError: It cannot be read.
        """
        self._path = path
        self._file = _opened(path)
        # Layers are dropped with their renderer, without being told.
        self._let_go = weakref.finalize(self, self._file.close)
        self._container: InputContainer | None = None
        self._run: _Run | None = None
        try:
            stream = self._open()
            self.container_name = stream.container.format.name
            self.codec_name = stream.codec_context.codec.canonical_name
            self.rate = stream.average_rate or stream.guessed_rate or None
            """Mean frames per second, as far as the file says."""
            self.aspect = stream.sample_aspect_ratio
            """Width of a pixel by its height, as far as the file says."""
            self.index = self._read_index(stream)
            self.first_time, self.first_frame = self._find_first()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let the file go; a second time does no harm."""
        self._leave()
        self._let_go()

    def frame(self, time: int) -> av.VideoFrame:
        """The frame with the greatest time up to ``time``; the first one before there is any.

        Raises:
            MediaError: The file is not what it was.
        """
        for start in range(self.index.start_of(time), -1, -1):
            run = self._run
            if run is None or run.start != start or (run.time is not None and time < run.time):
                run = self._begin(start)
            found = run.until(time)
            if found is not None:
                return found
            # A decoder gives nothing out before it has recovered, such as after a key frame that
            # is damaged, or one that is none: what precedes it leads here too.
        return self.first_frame

    def _find_first(self) -> tuple[int, av.VideoFrame]:
        first = self._begin(0).first()
        if first is None:
            raise MediaError(
                f"Nothing of the video could be decoded: it is damaged or protected; {_WANTED}."
            )
        return first

    def _begin(self, number: int) -> _Run:
        start = self.index.starts[number]
        stream = self._open()
        packets = self._sought(stream, start) if start.ordinal else _demuxed(stream)
        if packets is None:
            # What seeking does not find is found by counting.
            stream = self._open()
            packets = itertools.islice(_demuxed(stream), start.ordinal, None)
        times = iter(self.index.times.tolist()) if self.index.counted else None
        self._run = _Run(number, packets, _decoder(stream, self.codec_name), times)
        return self._run

    def _sought(self, stream: VideoStream, start: Start) -> Iterator[Packet[VideoStream]] | None:
        """The packets from a beginning on, if seeking leads there."""
        for time in (start.dts, start.pts):
            if time is None:
                continue
            with suppress(av.FFmpegError):
                _file_of(stream).seek(time, stream=stream)
                packets = _demuxed(stream)
                for packet in packets:
                    if start.is_same(packet):
                        return itertools.chain((packet,), packets)
                    if start.is_before(packet):
                        break
        return None

    def _read_index(self, stream: VideoStream) -> Index:
        assert stream.time_base is not None  # noqa: S101  # demuxers set it
        return read_index(
            _file_of(stream).demux(stream),
            stream.time_base,
            self.rate,
            self.container_name,
            self.codec_name,
        )

    def _open(self) -> VideoStream:
        """The video of the file, newly opened; what was open before is closed."""
        self._leave()
        self._file.seek(0)
        try:
            self._container = open_media(self._file, FOOTAGE_FORMATS)
        except (av.FFmpegError, ValueError) as exc:
            looks = describe_file(self._path)
            raise MediaError(
                f"The video cannot be read: it looks like {looks}; {_WANTED}."
            ) from exc
        return _picture_of(self._container)

    def _leave(self) -> None:
        self._run = None
        if self._container is not None:
            self._container.close()
            self._container = None


def _opened(path: Path) -> BinaryIO:
    if path.stat().st_size == 0:
        raise MediaError("The video is empty (0 bytes); upload it again.")
    return path.open("rb")


class _Run:
    """One pass of a decoder, from a beginning on."""

    def __init__(
        self,
        start: int,
        packets: Iterator[Packet[VideoStream]],
        decoder: VideoCodecContext,
        counter: Iterator[int] | None,
    ) -> None:
        self.start = start
        self.time: int | None = None
        """Of the frame that was reached."""
        self._frame: av.VideoFrame | None = None
        self._packets = packets
        self._decoder = decoder
        self._counter = counter
        self._waiting = deque[tuple[int, av.VideoFrame]]()
        self._ended = False

    def first(self) -> tuple[int, av.VideoFrame] | None:
        """The first frame of all; None if there is none."""
        while not self._waiting and not self._ended:
            self._decode()
        return self._waiting[0] if self._waiting else None

    def until(self, time: int) -> av.VideoFrame | None:
        """The last frame up to a time that is not before the one reached; None if there is none."""
        while True:
            while self._waiting and self._waiting[0][0] <= time:
                reached, frame = self._waiting.popleft()
                if self.time is None or reached >= self.time:
                    self.time, self._frame = reached, frame
            if self.time == time or self._waiting or self._ended:
                return self._frame
            self._decode()

    def _decode(self) -> None:
        """Decode another packet, or what the decoder has held back at the end."""
        packet = next(self._packets, None)
        self._ended = packet is None
        try:
            frames = self._decoder.decode(packet)
        except av.FFmpegError:
            return  # a damaged packet: what was shown before it stays on screen
        for frame in frames:
            time = frame.pts if self._counter is None else next(self._counter, None)
            if time is not None and max(frame.width, frame.height) <= MOST_PIXELS_A_SIDE:
                self._waiting.append((time, frame))


def _file_of(stream: VideoStream) -> InputContainer:
    assert isinstance(stream.container, InputContainer)  # noqa: S101  # it was opened to be read
    return stream.container


def _demuxed(stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """The packets of a video from here to where its file ends or cannot be read on."""
    with suppress(av.FFmpegError):
        for packet in _file_of(stream).demux(stream):
            if packet.size:
                yield packet


def _decoder(stream: VideoStream, codec_name: str) -> VideoCodecContext:
    """A decoder that gives out all that there is in the frames of a video."""
    tags = {name.lower(): value for name, value in stream.metadata.items()}
    # In Matroska, alpha lies beside the frames.
    if tags.get("alpha_mode") != "1" or codec_name not in _WITH_ALPHA:
        return stream.codec_context
    decoder = av.CodecContext.create(_WITH_ALPHA[codec_name], "r")
    assert isinstance(decoder, VideoCodecContext)  # noqa: S101  # by its name
    decoder.thread_count = 1
    return decoder


def _picture_of(container: InputContainer) -> VideoStream:
    """The video of a file, ready to be decoded by one thread."""
    # The cover of a song is a video stream to libav.
    pictures = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    if not pictures:
        kinds = sorted({str(stream.type) for stream in container.streams.audio})
        only = f", only {kinds[0]}" if kinds else ""
        raise MediaError(f"The video has no picture{only}; {_WANTED}.")
    stream = pictures[0]
    # libav knows formats without a decoder for them, and PyAV then has no context.
    context = getattr(stream, "codec_context", None)
    if context is None or not context.width or not context.height:
        raise MediaError(
            "The video's picture is in a coding that cannot be read (it may be protected against "
            f"copying); {_WANTED}."
        )
    if max(context.width, context.height) > MOST_PIXELS_A_SIDE:
        raise MediaError(
            f"The video is {context.width}x{context.height} pixels; {MOST_PIXELS_A_SIDE} a side "
            "is the most."
        )
    for other in container.streams:
        if other is not stream:
            other.discard = Discard.all
    # Several threads lose the order in which damage is found.
    context.thread_count = 1
    return stream

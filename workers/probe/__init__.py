"""Looking into media files: what they hold, and whether a finished video is as planned."""

from workers.probe.export import check_export, verify_export
from workers.probe.media import MediaProbe, StreamProbe, probe_media
from workers.probe.signature import describe_file

__all__ = [
    "MediaProbe",
    "StreamProbe",
    "check_export",
    "describe_file",
    "probe_media",
    "verify_export",
]

"""The error tree.

::

    MidifarmError
    ├── InputError               what was asked for cannot be done as asked (exit status 2)
    │   ├── MidiError            the MIDI file is unusable, or beyond the limits
    │   ├── MediaError           a recording or an image is unusable
    │   ├── CompositionError     a composition, preset or setting does not fit
    │   ├── NotFoundError        there is no such export, asset, composition, … of this user's
    │   ├── ConflictError        the state that something is in does not allow it
    │   ├── AccessError          the server does not accept the token
    │   └── QuotaError           the user has as much as he may have
    ├── StorageError             the object store failed; trying again may help
    │   ├── ObjectNotFoundError  no object has that key
    │   ├── DamagedObjectError   an object's bytes are not those that were stored
    │   ├── InvalidKeyError      that is no object key
    │   └── StorageFullError     no space left
    │       └── ScratchFullError no space left for temporary files, where a worker runs
    ├── DatabaseError            PostgreSQL failed; trying again may help
    │   └── SchemaError          its tables are not those of this program
    ├── RenderError              drawing, encoding or stitching went wrong
    │   ├── GLError              no usable OpenGL, or it reported an error
    │   ├── EncodeError          libav refused to encode
    │   └── VerificationError    a finished file is not what was planned
    │       └── OversizeError    it is larger than its platform accepts
    ├── ClusterError             Ray could not start, place or finish the work
    │   ├── ClusterLostError     Ray does not answer any more
    │   └── WorkerLostError      the worker process died
    ├── ServiceError             a server of ours failed or cannot be reached
    └── CancelledError           the work was cancelled

Messages are whole sentences for the person who reads them: what is wrong, and what to do.
Errors cross process borders, so whatever they carry is in ``args`` (one message) and in
``__dict__`` (plain data), which pickle keeps.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar


class ErrorKind(StrEnum):
    """What the dispatcher does about a failed attempt."""

    PERMANENT = "permanent"
    """Trying again gives the same result: fail at once and say why."""

    TRANSIENT = "transient"
    """The surroundings failed, not the work: back off, try elsewhere, count no attempt."""

    SUSPECT = "suspect"
    """The work may be poisonous: count the attempt, give up after three."""


class MidifarmError(Exception):
    """Base of every error that midifarm raises on purpose."""

    kind: ClassVar[ErrorKind] = ErrorKind.SUSPECT

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts
        """What the error is about, as plain data: export, chunk, attempt, key, log, …"""

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.message,), self.__dict__)


class InputError(MidifarmError):
    """What was asked for cannot be done as asked; the message says what would work."""

    kind = ErrorKind.PERMANENT


class MidiError(InputError):
    """The file holds no usable MIDI, or more than the limits allow."""


class MediaError(InputError):
    """A recording, an image or a font cannot be used."""


class CompositionError(InputError):
    """A composition, preset or setting does not fit."""


class NotFoundError(InputError):
    """There is no such thing, or it is somebody else's, which comes to the same."""


class ConflictError(InputError):
    """The state that something is in does not allow what was asked for."""


class AccessError(InputError):
    """The server does not accept the token, or the user may not do that."""


class QuotaError(InputError):
    """The user has as much as he may have at a time; the message says what makes room."""


class StorageError(MidifarmError):
    """The object store failed."""

    kind = ErrorKind.TRANSIENT


class ObjectNotFoundError(StorageError):
    """No object has that key."""


class DamagedObjectError(StorageError):
    """An object's bytes are not those that were stored; its maker can make it again."""


class InvalidKeyError(StorageError):
    """The text is no object key."""

    kind = ErrorKind.PERMANENT


class StorageFullError(StorageError):
    """There is no space left to store an object."""

    kind = ErrorKind.PERMANENT


class ScratchFullError(StorageFullError):
    """There is no space left for temporary files; on another node there may be."""

    kind = ErrorKind.SUSPECT


class DatabaseError(MidifarmError):
    """PostgreSQL failed."""

    kind = ErrorKind.TRANSIENT


class SchemaError(DatabaseError):
    """The database was made by another version of midifarm."""

    kind = ErrorKind.PERMANENT


class RenderError(MidifarmError):
    """Drawing, encoding or stitching went wrong."""


class GLError(RenderError):
    """There is no usable OpenGL, or it reported an error."""


class EncodeError(RenderError):
    """The encoder refused its settings or a frame."""


class VerificationError(RenderError):
    """A finished file is not what was planned."""


class OversizeError(VerificationError):
    """A finished file is larger than allowed: it can be rendered again at a lower rate.

    Its facts ``size_bytes`` and ``max_bytes`` say by how much.
    """

    kind = ErrorKind.PERMANENT


class ClusterError(MidifarmError):
    """Ray could not start, place or finish the work."""

    kind = ErrorKind.TRANSIENT


class ClusterLostError(ClusterError):
    """Ray does not answer any more; only a fresh process can reach it again."""


class WorkerLostError(ClusterError):
    """The worker process died in the middle of its work."""

    kind = ErrorKind.SUSPECT


class ServiceError(MidifarmError):
    """A server of ours cannot be reached, or failed."""

    kind = ErrorKind.TRANSIENT


class CancelledError(MidifarmError):
    """The work was cancelled before it was done."""

    kind = ErrorKind.PERMANENT

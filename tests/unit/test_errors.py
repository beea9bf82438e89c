"""The error tree: as drawn, with the kinds that the design gives it, across process borders."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

from shared import errors
from shared.errors import ErrorKind, MidifarmError

CLASSES = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, MidifarmError)
]
KINDS = {
    "MidifarmError": ErrorKind.SUSPECT,
    "InputError": ErrorKind.PERMANENT,
    "MidiError": ErrorKind.PERMANENT,
    "MediaError": ErrorKind.PERMANENT,
    "CompositionError": ErrorKind.PERMANENT,
    "NotFoundError": ErrorKind.PERMANENT,
    "ConflictError": ErrorKind.PERMANENT,
    "AccessError": ErrorKind.PERMANENT,
    "QuotaError": ErrorKind.PERMANENT,
    "StorageError": ErrorKind.TRANSIENT,
    "ObjectNotFoundError": ErrorKind.TRANSIENT,
    "DamagedObjectError": ErrorKind.TRANSIENT,
    "InvalidKeyError": ErrorKind.PERMANENT,
    "StorageFullError": ErrorKind.PERMANENT,
    "ScratchFullError": ErrorKind.SUSPECT,
    "DatabaseError": ErrorKind.TRANSIENT,
    "SchemaError": ErrorKind.PERMANENT,
    "RenderError": ErrorKind.SUSPECT,
    "GLError": ErrorKind.SUSPECT,
    "EncodeError": ErrorKind.SUSPECT,
    "VerificationError": ErrorKind.SUSPECT,
    "OversizeError": ErrorKind.PERMANENT,
    "ClusterError": ErrorKind.TRANSIENT,
    "ClusterLostError": ErrorKind.TRANSIENT,
    "WorkerLostError": ErrorKind.SUSPECT,
    "ServiceError": ErrorKind.TRANSIENT,
    "CancelledError": ErrorKind.PERMANENT,
}
every_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)


def drawn_tree() -> dict[str, str]:
    """The parent of every error in the drawing at the top of the module."""
    parents: dict[str, str] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r" {4}([ │├└─]*)(\w+Error)\b", line)
        if found is None:
            continue
        depth = len(found[1]) // 4
        del above[depth:]
        parents[found[2]] = above[-1] if above else "Exception"
        above.append(found[2])
    return parents


def test_the_drawing_shows_the_classes_as_they_are() -> None:
    actual = {cls.__name__: base.__name__ for cls in CLASSES for base in cls.__bases__}
    assert drawn_tree() == actual
    assert list(drawn_tree()) == list(actual), "in the same order"


def test_every_error_has_the_kind_that_the_design_gives_it() -> None:
    assert {cls.__name__: cls.kind for cls in CLASSES} == KINDS


@every_class
def test_an_error_crosses_a_process_border_whole(cls: type[MidifarmError]) -> None:
    error = cls("The chunk failed.", chunk=7, log="x264 [error]: …", frames=(1, 2))
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
    assert type(copy) is cls
    assert copy.message == str(copy) == "The chunk failed."
    assert copy.args == ("The chunk failed.",)
    assert copy.facts == {"chunk": 7, "log": "x264 [error]: …", "frames": (1, 2)}
    assert copy.kind is cls.kind


def test_what_is_added_to_an_error_travels_too() -> None:
    error = errors.RenderError("It failed.")
    error.facts["attempt"] = 2
    error.add_note("seen on node 3")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
    assert copy.facts == {"attempt": 2}
    assert copy.__notes__ == ["seen on node 3"]


@every_class
def test_an_error_is_described(cls: type[MidifarmError]) -> None:
    assert cls.__doc__
    assert cls.__doc__ != Exception.__doc__

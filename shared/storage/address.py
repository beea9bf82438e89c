"""From the address in a setting to the object store that it means."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from shared.errors import InputError
from shared.storage.local import LocalStore
from shared.storage.port import ObjectStore


def open_store(url: str) -> ObjectStore:
    """The object store at ``url``: ``file:///path/to/folder``, or simply the path of a folder.

    Raises:
        InputError: if the address is not understood.
        StorageError: if the store cannot be opened.
    """
    folder: str | None = url
    if url.startswith("file:"):
        parts = urlsplit(url)
        understood = parts.netloc in ("", "localhost") and not parts.query and not parts.fragment
        folder = unquote(parts.path) if understood and parts.path.startswith("/") else None
    elif re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", url):
        folder = None
    if not folder or "\0" in folder:
        raise InputError(
            f"{url!r} is no object store that midifarm knows. "
            "Give the path of a folder, or file:///path/to/folder.",
            url=url,
        )
    return LocalStore(Path(folder))

"""A client of a midifarm server: what the command line uses, and what programs may use.

::

    with Client("http://127.0.0.1:8077", token) as client:
        midi = client.upload(Path("SONG.mid"))
        song = client.create_composition("SONG", midi=midi.id)
        (export,) = client.create_exports(song.id, presets=["youtube_1080p"])
        for event in client.watch(export.id):
            print(event.stage, event.frames_done, event.frames)
        client.download(export.id, Path("SONG.mp4"))
"""

from __future__ import annotations

from typing import Self

from coordinator.client.assets import Assets
from coordinator.client.audit import Audit
from coordinator.client.batches import Batches
from coordinator.client.compositions import Compositions
from coordinator.client.exports import Exports
from coordinator.client.farm import Farm
from coordinator.client.http import Http
from coordinator.client.keys import Keys
from coordinator.client.links import Links
from coordinator.client.presets import Presets
from coordinator.client.previews import Previews
from coordinator.client.templates import Templates
from coordinator.client.use import UseOfFarm
from coordinator.client.watching import Watching
from coordinator.client.webhooks import Webhooks


class Client(
    Assets,
    Compositions,
    Exports,
    Links,
    Batches,
    Watching,
    Presets,
    Previews,
    Templates,
    Webhooks,
    Keys,
    Farm,
    UseOfFarm,
    Audit,
):
    """A user's view of a server; a context manager. Not for several threads at once."""

    def __init__(self, url: str, token: str, *, patience_s: float = 30.0) -> None:
        """Prepare; nothing is asked yet.

        Args:
            url: The server's address.
            token: The user's.
            patience_s: How long what fails in passing is tried again; what must not happen twice
                carries an Idempotency-Key.

        Raises:
            InputError: The address is none, or the token cannot be one.
        """
        self._http = Http(url, token, patience_s=patience_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; a second time does no harm."""
        self._http.close()

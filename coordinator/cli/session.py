"""The client that a command talks through."""

from __future__ import annotations

from coordinator.client import Client
from coordinator.settings import ClientSettings
from shared.errors import InputError


def open_client(settings: ClientSettings) -> Client:
    """A client of the server that the settings name.

    Raises:
        InputError: No token was given, or the address is none.
    """
    if settings.token is None:
        raise InputError(
            "Give your token with --token or MIDIFARM_TOKEN; `midifarm serve` prints one, and "
            "`midifarm keys create` makes others."
        )
    return Client(settings.url, settings.token.get_secret_value())

"""Who is told how exports and batches end."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from coordinator.client.base import PAGE, Base
from coordinator.client.models import Delivery, DeliveryPage, Webhook
from coordinator.client.reading import part, read_answer


class Webhooks(Base):
    """Webhooks, and what they were told."""

    def webhooks(self, *, of_exports: bool = False) -> tuple[Webhook, ...]:
        """The user's webhooks, newest first; those that exports name instead, if asked so."""
        found: list[Webhook] = []
        while True:
            query = {"of_exports": of_exports or None, "limit": PAGE, "offset": len(found)}
            page = self._http.json("GET", "v1/webhooks", query=query)
            found += (read_answer(Webhook, each) for each in page["webhooks"])
            if not page["has_more"]:
                return tuple(found)

    def webhook(self, webhook_id: str) -> Webhook:
        """A webhook by its id."""
        return read_answer(Webhook, self._http.json("GET", _path(webhook_id)))

    def create_webhook(
        self,
        url: str,
        *,
        name: str | None = None,
        events: Collection[str] = (),
        secret: str | None = None,
    ) -> Webhook:
        """Be told how exports and batches end; the secret is told this once.

        Args:
            url: Where to send it.
            name: What a person calls it; its host without it.
            events: What it is told of; everything if empty.
            secret: One of the caller's own; one is made without it.
        """
        data = {"url": url, "name": name, "events": list(events), "secret": secret}
        return read_answer(Webhook, self._http.json("POST", "v1/webhooks", once=True, data=data))

    def change_webhook(self, webhook_id: str, **changes: Any) -> Webhook:
        """Change a webhook.

        Args:
            webhook_id: Which.
            changes: New values of ``name``, ``url``, ``events`` and ``is_enabled``.
        """
        # A second time it changes nothing more.
        answer = self._http.json("PATCH", _path(webhook_id), again=True, data=changes)
        return read_answer(Webhook, answer)

    def delete_webhook(self, webhook_id: str) -> None:
        """Delete a webhook and its delivery log."""
        self._http.json("DELETE", _path(webhook_id))

    def rotate_webhook(self, webhook_id: str) -> Webhook:
        """Give a webhook a new secret, which is told this once."""
        return read_answer(Webhook, self._http.json("POST", _path(webhook_id, "rotate"), once=True))

    def test_webhook(self, webhook_id: str) -> Delivery:
        """Have a webhook told a ``ping``."""
        return read_answer(Delivery, self._http.json("POST", _path(webhook_id, "test"), once=True))

    def deliveries(
        self,
        webhook_id: str,
        *,
        status: str | None = None,
        export_id: str | None = None,
        limit: int = 20,
        offset: int = 0,
    ) -> DeliveryPage:
        """A page of what a webhook was told, and is to be told, newest first."""
        query = {"status": status, "export_id": export_id, "limit": limit, "offset": offset}
        answer = self._http.json("GET", _path(webhook_id, "deliveries"), query=query)
        return read_answer(DeliveryPage, answer)

    def redeliver(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Try a delivery again from the beginning, with the same id."""
        path = _path(webhook_id, f"deliveries/{part(delivery_id)}/redeliver")
        return read_answer(Delivery, self._http.json("POST", path, once=True))


def _path(webhook_id: str, action: str = "") -> str:
    return f"v1/webhooks/{part(webhook_id)}" + (f"/{action}" if action else "")

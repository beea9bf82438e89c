"""``/v1/webhooks``: being told how exports and batches end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from coordinator.api.auth import By
from coordinator.api.deliverer import SCHEMES
from coordinator.api.idempotency import Once
from coordinator.api.pages import Limit, Offset, cut
from coordinator.api.problems import documented, field_error
from coordinator.api.services import Parts, Services
from coordinator.database import Connection, Row, deliveries, webhooks
from coordinator.deliveries import DeliveryStatus, WebhookEvent
from coordinator.reaching import ReachError, parse_target
from coordinator.signing import key_of
from coordinator.texts import Text, is_plain
from shared.errors import InputError

router: Final = APIRouter(
    prefix="/webhooks", tags=["webhooks"], responses=documented(401, 422, 503)
)

_LONGEST_URL: Final = 2000


def _check_url(url: str) -> str:
    if not all(map(is_plain, url)):
        raise ValueError("control characters and line breaks are not allowed")
    try:
        parse_target(url, SCHEMES)
    except InputError as exc:
        raise ValueError(exc.message) from None
    return url


def _check_secret(secret: str) -> str:
    key_of(secret)
    return secret


WebhookUrl = Annotated[
    str, StringConstraints(min_length=1, max_length=_LONGEST_URL), AfterValidator(_check_url)
]
"""An address of a kind that may be told; whether it may, shows when its host is looked up."""
WebhookSecret = Annotated[str, StringConstraints(max_length=100), AfterValidator(_check_secret)]
"""What deliveries are signed with."""
Events = Annotated[list[WebhookEvent], Field(max_length=len(WebhookEvent))]

_URL: Final = (
    "Where to send it: an https address whose host has public addresses alone, or any in a network "
    "that the operator has allowed."
)
_KEY_FORM: Final = "`whsec_` and 24 to 64 random bytes in base64"
_EVENTS: Final = "What it is told of; everything if empty."


class ExportWebhook(BaseModel):
    """Who is told of an export beside its owner's own webhooks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: WebhookUrl = Field(description=_URL)
    secret: WebhookSecret = Field(
        repr=False, description=f"What deliveries are signed with: {_KEY_FORM}."
    )


class WebhookRequest(BaseModel):
    """A webhook that is to be kept."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "production",
                    "url": "https://example.org/midifarm",
                    "events": ["export.completed", "export.failed", "batch.ended"],
                }
            ]
        },
    )

    name: Text | None = Field(
        default=None, description="What a person calls it; its host without it."
    )
    url: WebhookUrl = Field(description=_URL)
    events: Events = Field(default=[], description=_EVENTS)
    secret: WebhookSecret | None = Field(
        default=None,
        repr=False,
        description=f"A secret of your own, {_KEY_FORM}; one is made without it.",
    )


class WebhookChange(BaseModel):
    """What is to change of a webhook; what is null stays."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"is_enabled": False}]}
    )

    name: Text | None = Field(default=None, description="What a person calls it.")
    url: WebhookUrl | None = Field(default=None, description=_URL)
    events: Events | None = Field(default=None, description=_EVENTS)
    is_enabled: bool | None = Field(
        default=None,
        strict=True,
        description="Whether it is told at all; what waits for it is cancelled if not.",
    )


class Webhook(BaseModel):
    """A webhook without its secret."""

    id: str = Field(description="Its id.", examples=["whk_1f6d…"])
    name: str = Field(description="What a person calls it.")
    url: str = Field(description="Where it is.")
    events: list[WebhookEvent] = Field(description=_EVENTS)
    is_general: bool = Field(
        description="Whether it is told of everything of yours; else of the exports that name it."
    )
    is_enabled: bool = Field(description="Whether it is told at all.")
    created_at: datetime = Field(description="When it was made.")


class NewWebhook(Webhook):
    """A webhook with a new secret."""

    secret: str | None = Field(
        description="What deliveries are signed with; it is shown this once, and null if the same "
        "request is answered again."
    )


class WebhookPage(BaseModel):
    """A page of webhooks."""

    webhooks: list[Webhook] = Field(description="Newest first.")
    has_more: bool = Field(description="Whether there are older ones.")


class Try(BaseModel):
    """One try to deliver something."""

    number: int = Field(description="Counted from 1.")
    at: datetime = Field(description="When it began.")
    took_s: float = Field(description="How long it took.")
    http_status: int | None = Field(description="What the receiver answered; null: nothing.")
    error: str | None = Field(description="Why it does not count; null: it was delivered.")


class Delivery(BaseModel):
    """Something that a webhook was told, or is to be told."""

    id: str = Field(description="Its id, the header `webhook-id` of every try.")
    webhook_id: str = Field(description="To which webhook.")
    event: str = Field(description="`export.completed`, …, `batch.ended` or `ping`.")
    export_id: str | None = Field(description="Which export it is about.")
    batch_id: str | None = Field(description="Which batch it is about, or its export belongs to.")
    data: dict[str, Any] = Field(description="How that stood when it happened.")
    status: DeliveryStatus = Field(
        description="`pending`, `delivered`, `failed` (given up) or `cancelled` (the webhook was "
        "disabled)."
    )
    created_at: datetime = Field(description="When it happened.")
    next_at: datetime | None = Field(description="When it is tried next; null: no more.")
    ended_at: datetime | None = Field(description="When it was delivered or given up.")
    tries: list[Try] = Field(description="What came of each try, in order.")


class DeliveryPage(BaseModel):
    """A page of a webhook's delivery log."""

    deliveries: list[Delivery] = Field(description="Newest first.")
    has_more: bool = Field(description="Whether there are older ones.")


def _shown(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in Webhook.model_fields}


def _delivery(row: Row, tries: Sequence[Row] = ()) -> Delivery:
    shown = {name: row[name] for name in Delivery.model_fields if name in row}
    if row["ended_at"] is not None:
        shown["next_at"] = None
    made = [Try(**{name: each[name] for name in Try.model_fields}) for each in tries]
    return Delivery(**shown | {"tries": made})


async def refuse_unreachable(services: Services, field: str, url: str) -> None:
    """Refuse an address that may not be told, as far as that can be seen before.

    Args:
        services: The parts of this API process.
        field: Which field of the request it stands in.
        url: The address.

    Raises:
        InputError: It may not be told.
    """
    try:
        async with asyncio.timeout(services.limits.webhooks.patience_s):
            await services.receivers.addresses(parse_target(url, SCHEMES))
    except ReachError as exc:
        raise field_error(field, exc.message) from exc
    except TimeoutError:
        raise field_error(field, "the address of its host cannot be found out; try again") from None


@router.post("", status_code=201, responses=documented(409))
async def create_webhook(
    request: WebhookRequest, caller: By, services: Parts, once: Once, response: Response
) -> NewWebhook:
    """Be told how your exports and batches end. Its secret is in the answer, and nowhere else."""
    await refuse_unreachable(services, "url", request.url)

    async def make(connection: Connection) -> NewWebhook:
        row = await webhooks.create_webhook(
            connection,
            caller.user_id,
            name=request.name,
            url=request.url,
            events=list(dict.fromkeys(request.events)),
            secret=request.secret,
            most=services.limits.webhooks.most,
        )
        return NewWebhook(secret=row["secret"], **_shown(row))

    response.headers["Cache-Control"] = "no-store"
    return await once.run(make, hidden=["secret"])


@router.get("")
async def list_webhooks(
    caller: By,
    services: Parts,
    of_exports: Annotated[
        bool, Query(description="Those that exports name themselves, instead of your general ones.")
    ] = False,
    limit: Limit = 20,
    offset: Offset = 0,
) -> WebhookPage:
    """Your webhooks, newest first."""
    async with services.database.transaction() as connection:
        rows = await webhooks.list_webhooks(
            connection, caller.user_id, is_general=not of_exports, limit=limit + 1, offset=offset
        )
    page, has_more = cut(rows, limit)
    return WebhookPage(webhooks=[Webhook(**_shown(row)) for row in page], has_more=has_more)


@router.get("/{webhook_id}", responses=documented(404))
async def get_webhook(webhook_id: str, caller: By, services: Parts) -> Webhook:
    """One of your webhooks."""
    async with services.database.transaction() as connection:
        return Webhook(**_shown(await webhooks.get_webhook(connection, caller.user_id, webhook_id)))


@router.patch("/{webhook_id}", responses=documented(404, 409))
async def change_webhook(
    webhook_id: str, request: WebhookChange, caller: By, services: Parts
) -> Webhook:
    """Change a webhook. What waits for one that is disabled is cancelled."""
    async with services.database.transaction() as connection:  # before a name is looked up
        await webhooks.get_webhook(connection, caller.user_id, webhook_id)
    if request.url is not None:
        await refuse_unreachable(services, "url", request.url)
    changes = request.model_dump(exclude_none=True)
    async with services.database.transaction() as connection:
        row = await webhooks.change_webhook(connection, caller.user_id, webhook_id, **changes)
        return Webhook(**_shown(row))


@router.delete("/{webhook_id}", status_code=204, responses=documented(404))
async def delete_webhook(webhook_id: str, caller: By, services: Parts) -> None:
    """Delete a webhook and its delivery log; what waits for it is told no more."""
    async with services.database.transaction() as connection:
        await webhooks.delete_webhook(connection, caller.user_id, webhook_id)


@router.post("/{webhook_id}/rotate", responses=documented(404, 409))
async def rotate_webhook(
    webhook_id: str, caller: By, services: Parts, once: Once, response: Response
) -> NewWebhook:
    """Give a webhook a new secret. The old one signs beside it for a day."""

    async def rotate(connection: Connection) -> NewWebhook:
        row = await webhooks.rotate_webhook(
            connection, caller.user_id, webhook_id, keep_s=services.limits.webhooks.rotation_s
        )
        return NewWebhook(secret=row["secret"], **_shown(row))

    response.headers["Cache-Control"] = "no-store"
    return await once.run(rotate, hidden=["secret"])


@router.post("/{webhook_id}/test", status_code=202, responses=documented(404, 409))
async def test_webhook(webhook_id: str, caller: By, once: Once) -> Delivery:
    """Have a webhook told a `ping`; its delivery log says what came of it."""

    async def ping(connection: Connection) -> Delivery:
        webhook = await webhooks.get_webhook(connection, caller.user_id, webhook_id)
        return _delivery(await deliveries.ping(connection, webhook))

    return await once.run(ping)


@router.get("/{webhook_id}/deliveries", responses=documented(404))
async def list_deliveries(
    webhook_id: str,
    caller: By,
    services: Parts,
    status: Annotated[
        DeliveryStatus | None, Query(description="Only those that stand like this.")
    ] = None,
    export_id: Annotated[str | None, Query(description="Only those about an export.")] = None,
    limit: Limit = 20,
    offset: Offset = 0,
) -> DeliveryPage:
    """What a webhook was told in the last 30 days, and is to be told, newest first."""
    async with services.database.transaction() as connection:
        await webhooks.get_webhook(connection, caller.user_id, webhook_id)
        rows = await deliveries.list_deliveries(
            connection,
            webhook_id,
            status=status,
            export_id=export_id,
            limit=limit + 1,
            offset=offset,
        )
        page, has_more = cut(rows, limit)
        tries = await deliveries.tries_of(connection, [row["id"] for row in page])
    return DeliveryPage(
        deliveries=[_delivery(row, tries.get(row["id"], ())) for row in page], has_more=has_more
    )


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/redeliver",
    status_code=202,
    responses=documented(404, 409),
)
async def redeliver(webhook_id: str, delivery_id: str, caller: By, once: Once) -> Delivery:
    """Try a delivery again from the beginning, with the same id, whatever became of it."""

    async def queue(connection: Connection) -> Delivery:
        webhook = await webhooks.get_webhook(connection, caller.user_id, webhook_id)
        row = await deliveries.redeliver(connection, webhook, delivery_id)
        tries = await deliveries.tries_of(connection, [delivery_id])
        return _delivery(row, tries.get(delivery_id, ()))

    return await once.run(queue)

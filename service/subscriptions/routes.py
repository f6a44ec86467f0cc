"""Subscriptions over HTTP, and the page that ends one."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from service.deliveries.addresses import check_url
from service.deliveries.queries import switch_off, switch_on
from service.deliveries.schemas import DeliveryOutput, delivery_fields
from service.dependencies import Admin, Now, ReadSession, WriteSession, get_settings
from service.errors import Conflict, InvalidInput, NotFound
from service.filters import NoteFilters, resolve_period
from service.outgoing_tables import SubscriptionTable
from service.paging import Cursor, Limit, Page, page_of
from service.problems import problem_responses
from service.settings import Settings
from service.subscriptions import queries
from service.subscriptions.content import MessageKind, window
from service.subscriptions.rendering import as_html, as_slack, as_teams, as_text
from service.subscriptions.schemas import (
    Channel,
    NewSubscription,
    SubscriptionChange,
    SubscriptionOutput,
    is_mail_address,
    subscription_output,
)
from service.subscriptions.sending import write_message

router = APIRouter(prefix="/v1/subscriptions", tags=["subscriptions"], responses=problem_responses(503))

SubscriptionId = Annotated[int, Path(ge=1, le=2**62, description="The subscription's `id`.", examples=[1])]
AppSettings = Annotated[Settings, Depends(get_settings)]
_PREVIEW_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class PreviewFormat(StrEnum):
    """How a preview is shown."""

    HTML = "html"
    TEXT = "text"
    JSON = "json"


@router.post("", status_code=201)
def post_subscription(
    body: NewSubscription, session: WriteSession, caller: Admin, settings: AppSettings, now: Now
) -> SubscriptionOutput:
    """Have digests and alerts sent to a mail address, or to a Slack or Teams webhook."""
    _check_address(body.channel, body.address, settings)
    values = body.model_dump(mode="json", exclude={"filters"})
    filters = body.filters.model_dump(mode="json", exclude_none=True)
    row = queries.create_subscription(session, {**values, "filters": filters}, caller.name, now)
    return subscription_output(row)


@router.get("")
def get_subscriptions(
    session: ReadSession, _caller: Admin, limit: Limit = 50, cursor: Cursor = None
) -> Page[SubscriptionOutput]:
    """List subscriptions, oldest first."""
    return page_of(queries.list_subscriptions(session), subscription_output, limit, cursor)


@router.get("/{subscription_id}", responses=problem_responses(404))
def get_subscription(subscription_id: SubscriptionId, session: ReadSession, _caller: Admin) -> SubscriptionOutput:
    """Read one subscription."""
    return subscription_output(_found(queries.find_subscription(session, subscription_id), subscription_id))


@router.patch("/{subscription_id}", responses=problem_responses(404))
def patch_subscription(
    subscription_id: SubscriptionId,
    body: SubscriptionChange,
    session: WriteSession,
    _caller: Admin,
    settings: AppSettings,
    now: Now,
) -> SubscriptionOutput:
    """Change a subscription, switch it off, or on again."""
    row = _found(queries.find_subscription(session, subscription_id, lock=True), subscription_id)
    if body.address is not None:
        _check_address(Channel(row.channel), body.address, settings)
    for name, value in body.model_dump(mode="json", exclude={"disabled", "filters"}, exclude_none=True).items():
        setattr(row, name, value)
    if body.filters is not None:
        row.filters = body.filters.model_dump(mode="json", exclude_none=True)
        queries.take_stock_again(session, row.id)
    if body.disabled and row.disabled_at is None:
        switch_off(row, "switched_off", now)
    elif body.disabled is False:
        switch_on(row)
    return subscription_output(row)


@router.delete("/{subscription_id}", status_code=204, responses=problem_responses(404))
def delete_subscription(subscription_id: SubscriptionId, session: WriteSession, _caller: Admin) -> None:
    """Forget a subscription and its deliveries."""
    row = _found(queries.find_subscription(session, subscription_id, lock=True), subscription_id)
    queries.delete_subscription(session, row)


_PREVIEWS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The digest.",
        "content": {
            "text/html": {"example": "<!DOCTYPE html>…"},
            "text/plain": {"example": "What customers said\n…"},
            "application/json": {"example": {"subject": "What customers said, 15 August to 13 September 2026"}},
        },
    },
    **problem_responses(404),
}


@router.get("/{subscription_id}/preview", response_class=Response, responses=_PREVIEWS)
def get_preview(
    subscription_id: SubscriptionId,
    session: ReadSession,
    _caller: Admin,
    settings: AppSettings,
    now: Now,
    format: Annotated[PreviewFormat, Query(description="The mail as HTML or text, or what a chat would get.")] = (
        PreviewFormat.HTML
    ),
) -> Response:
    """Show the digest that would be sent now; where its days have no notes, that of the last days that have some."""
    row = _found(queries.find_subscription(session, subscription_id), subscription_id)
    period, latest = window(queries.local(row, now).date()), resolve_period(session, NoteFilters()).end
    if latest < period.start:
        period = window(latest + timedelta(days=1))
    data: dict[str, object] = {"start": period.start.isoformat(), "end": period.end.isoformat()}
    message = write_message(session, row, MessageKind.DIGEST, data, settings)
    if format is PreviewFormat.HTML:
        return HTMLResponse(as_html(message, row.name), headers=_PREVIEW_HEADERS)
    if format is PreviewFormat.TEXT:
        return PlainTextResponse(as_text(message, row.name), headers=_PREVIEW_HEADERS)
    chats = {"slack": as_slack(message, row.name), "teams": as_teams(message, row.name)}
    return JSONResponse({"subject": message.subject, **chats}, headers=_PREVIEW_HEADERS)


@router.post("/{subscription_id}/send", status_code=202, responses=problem_responses(404, 409))
def send_now(subscription_id: SubscriptionId, session: WriteSession, _caller: Admin, now: Now) -> DeliveryOutput:
    """Send a digest now, whatever its day; `GET /v1/deliveries/{id}` tells what came of it."""
    row = _found(queries.find_subscription(session, subscription_id, lock=True), subscription_id)
    if row.disabled_at is not None:
        raise Conflict(f"The subscription {subscription_id} is switched off: switch it on first.")
    delivery = queries.add_message(session, row, MessageKind.DIGEST, window(queries.local(row, now).date()), now)
    return DeliveryOutput(**delivery_fields(delivery, None))


def _found(row: SubscriptionTable | None, subscription_id: int) -> SubscriptionTable:
    if row is None:
        raise NotFound(f"There is no subscription {subscription_id}.")
    return row


def _check_address(channel: Channel, address: str, settings: Settings) -> None:
    if channel is not Channel.EMAIL:
        check_url(address, allow_private=settings.outgoing_private_allowed, field="address")
        return
    fault = None if is_mail_address(address) else "must be one mail address, such as marketing@firm.com"
    if fault is None and not settings.smtp_url:
        fault = "can't be mailed to: set BINOME_SMTP_URL first"
    if fault:
        error = {"field": "address", "code": "invalid_address", "message": fault}
        raise InvalidInput(f"address {fault}.", errors=[error])

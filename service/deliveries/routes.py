"""Webhook endpoints and deliveries over HTTP."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Path, Query

from service.deliveries import queries
from service.deliveries.addresses import check_url
from service.deliveries.events import DeliveryState, EventType
from service.deliveries.schemas import (
    DeliveryDetail,
    DeliveryOutput,
    EndpointChange,
    EndpointCreated,
    EndpointOutput,
    NewEndpoint,
    attempt_output,
    delivery_fields,
    endpoint_fields,
)
from service.deliveries.signing import new_secret
from service.dependencies import Admin, Now, ReadSession, WriteSession, get_settings
from service.errors import Conflict, NotFound
from service.field_words import NUMBER_OF_ROW
from service.outgoing_tables import EndpointTable, EventTable, OutgoingTable
from service.paging import Cursor, Limit, Page, decode_cursor, encode_cursor, page_of
from service.problems import problem_responses
from service.settings import Settings

router = APIRouter(prefix="/v1", tags=["deliveries"], responses=problem_responses(503))

EndpointId = Annotated[int, Path(ge=1, le=2**62, description="The endpoint's `id`.", examples=[1])]
DeliveryId = Annotated[int, Path(ge=1, le=2**62, description="The delivery's `id`.", examples=[12])]
Asked = Annotated[str | None, Query(pattern=NUMBER_OF_ROW)]
AppSettings = Annotated[Settings, Depends(get_settings)]


@router.post("/webhook-endpoints", status_code=201)
def post_endpoint(
    body: NewEndpoint, session: WriteSession, caller: Admin, settings: AppSettings, now: Now
) -> EndpointCreated:
    """Have events posted to an address, signed by Standard Webhooks; the answer shows the secret this once."""
    check_url(body.url, allow_private=settings.outgoing_private_allowed)
    secret = new_secret()
    row = queries.create_endpoint(session, body.model_dump(mode="json"), secret, caller.name, now)
    return EndpointCreated(**endpoint_fields(row), secret=secret)


@router.get("/webhook-endpoints")
def get_endpoints(
    session: ReadSession, _caller: Admin, limit: Limit = 50, cursor: Cursor = None
) -> Page[EndpointOutput]:
    """List endpoints, oldest first, without their secrets."""
    return page_of(queries.list_endpoints(session), lambda row: EndpointOutput(**endpoint_fields(row)), limit, cursor)


@router.patch("/webhook-endpoints/{endpoint_id}", responses=problem_responses(404))
def patch_endpoint(
    endpoint_id: EndpointId,
    body: EndpointChange,
    session: WriteSession,
    _caller: Admin,
    settings: AppSettings,
    now: Now,
) -> EndpointOutput:
    """Change an endpoint, switch it off, or on again: then what waits is sent."""
    row = _endpoint(session, endpoint_id)
    if body.url is not None:
        check_url(body.url, allow_private=settings.outgoing_private_allowed)
    for name, value in body.model_dump(mode="json", exclude={"disabled"}, exclude_none=True).items():
        setattr(row, name, value)
    if body.disabled and row.disabled_at is None:
        queries.switch_off(row, "switched_off", now)
    elif body.disabled is False:
        queries.switch_on(row)
    return EndpointOutput(**endpoint_fields(row))


@router.delete("/webhook-endpoints/{endpoint_id}", status_code=204, responses=problem_responses(404))
def delete_endpoint(endpoint_id: EndpointId, session: WriteSession, _caller: Admin) -> None:
    """Forget an endpoint, its secret and its deliveries."""
    queries.delete_endpoint(session, _endpoint(session, endpoint_id))


@router.post("/webhook-endpoints/{endpoint_id}/rotate", responses=problem_responses(404))
def rotate_endpoint(endpoint_id: EndpointId, session: WriteSession, _caller: Admin, now: Now) -> EndpointCreated:
    """Put another secret in force, shown this once; for a day the one before signs too."""
    row = _endpoint(session, endpoint_id)
    secret = new_secret()
    queries.rotate(row, secret, now)
    return EndpointCreated(**endpoint_fields(row), secret=secret)


@router.post("/webhook-endpoints/{endpoint_id}/test", status_code=202, responses=problem_responses(404, 409))
def post_test(endpoint_id: EndpointId, session: WriteSession, caller: Admin, now: Now) -> DeliveryOutput:
    """Send `endpoint.test` to an endpoint; `GET /v1/deliveries/{id}` tells what it answered."""
    row = _endpoint(session, endpoint_id)
    if row.disabled_at is not None:
        raise Conflict(f"The endpoint {endpoint_id} is switched off: switch it on first.")
    return DeliveryOutput(**delivery_fields(*queries.request_test(session, row, caller.name, now)))


@router.get("/deliveries")
def get_deliveries(
    session: ReadSession,
    _caller: Admin,
    state: DeliveryState | None = None,
    event_type: EventType | None = None,
    endpoint: Asked = None,
    subscription: Asked = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[DeliveryOutput]:
    """List what was sent or waits, latest first; kept for 30 days."""
    before = decode_cursor(cursor, int)[0] if cursor else None
    asked = (
        (OutgoingTable.state, state),
        (EventTable.type, event_type),
        (OutgoingTable.endpoint_id, int(endpoint) if endpoint else None),
        (OutgoingTable.subscription_id, int(subscription) if subscription else None),
    )
    conditions: list[sa.ColumnElement[bool]] = [column == value for column, value in asked if value is not None]
    rows, total = queries.list_deliveries(session, conditions, limit + 1, before)
    items = [DeliveryOutput(**delivery_fields(*row)) for row in rows[:limit]]
    following = encode_cursor([rows[limit - 1][0].id]) if len(rows) > limit else None
    return Page(items=items, next=following, total=total)


@router.get("/deliveries/{delivery_id}", responses=problem_responses(404))
def get_delivery(delivery_id: DeliveryId, session: ReadSession, _caller: Admin) -> DeliveryDetail:
    """Read a delivery with its tries and the event's data."""
    row = queries.find_delivery(session, delivery_id)
    if row is None:
        raise NotFound(f"There is no delivery {delivery_id}.")
    tries = [attempt_output(one) for one in queries.list_attempts(session, delivery_id)]
    return DeliveryDetail(**delivery_fields(*row), tries=tries, data=row[1].data if row[1] else row[0].data)


@router.post("/deliveries/{delivery_id}/redeliver", status_code=202, responses=problem_responses(404, 409))
def redeliver(delivery_id: DeliveryId, session: WriteSession, _caller: Admin, now: Now) -> DeliveryOutput:
    """Send a delivery once more, at once and with the same event key, and try it as often as a fresh one."""
    row = queries.lock_delivery(session, delivery_id)
    if row is None:
        raise NotFound(f"There is no delivery {delivery_id}.")
    if row.state == DeliveryState.SENDING:
        raise Conflict(f"The delivery {delivery_id} is being sent: look again in a moment.")
    queries.send_again(row, now)
    return DeliveryOutput(**delivery_fields(row, queries.event_of(session, row)))


def _endpoint(session: WriteSession, endpoint_id: int) -> EndpointTable:
    row = queries.find_endpoint(session, endpoint_id)
    if row is None:
        raise NotFound(f"There is no endpoint {endpoint_id}.")
    return row

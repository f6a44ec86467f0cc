"""What goes out: endpoints of webhooks, subscriptions to digests and alerts, and the log of what was sent."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from service.database import read_session, write_session
from service.deliveries import queries
from service.deliveries import routes as deliveries
from service.deliveries.events import DeliveryState, EventType
from service.deliveries.schemas import EndpointChange, NewEndpoint
from service.dependencies import Caller, Now, ReadSession, get_engine, get_settings
from service.errors import Conflict, InvalidInput, NotFound
from service.field_words import in_words
from service.outgoing_tables import EndpointTable, EventTable, OutgoingTable, SubscriptionTable
from service.pages.answers import PageRoute, render
from service.pages.forms import read_page
from service.pages.sign_in import AdminVisitor, FormFields
from service.pages.views import Pager
from service.settings import Settings
from service.subscriptions import routes as subscriptions
from service.subscriptions.queries import list_subscriptions
from service.subscriptions.schemas import Channel, NewSubscription, Sensitivity, SubscriptionChange

router = APIRouter(route_class=PageRoute, include_in_schema=False)
AppSettings = Annotated[Settings, Depends(get_settings)]

SHOWN = 20
EVENTS = [one for one in EventType if one is not EventType.TEST]
HOME = "/outgoing"
_PLAIN = ("name", "channel", "address", "sensitivity", "language", "weekday", "hour")


@router.get("/outgoing")
def get_outgoing(request: Request, session: ReadSession, visitor: AdminVisitor) -> Response:
    """Show endpoints, subscriptions and the latest deliveries."""
    return _page(request, session)


def _page(request: Request, session: Session, status: int = 200, **told: Any) -> Response:
    """Show the page; `fault` is what is wrong, `form` the one that it is about and `fields` what was filled in."""
    page = read_page(request.query_params)
    pager = Pager(page, queries.list_deliveries(session, [], 0, None)[1])
    pager = Pager(min(page, pager.pages), pager.total)
    rows, _ = queries.list_deliveries(session, [], pager.skipped + SHOWN, None)
    endpoints, subscribed = queries.list_endpoints(session), list_subscriptions(session)
    names = queries.receiver_names(session)
    context = {"fault": "", "form": "", "fields": {}, **told}
    return render(
        request,
        "outgoing.html",
        status,
        endpoints=[(one, _state(one)) for one in endpoints],
        subscriptions=[(one, _state(one)) for one in subscribed],
        deliveries=[_line(row, event, names) for row, event in rows[pager.skipped :]],
        pager=pager,
        events=EVENTS,
        channels=list(Channel),
        sensitivities=list(Sensitivity),
        **context,
    )


def _state(row: EndpointTable | SubscriptionTable) -> str:
    if row.disabled_at is not None:
        return "off"
    return "failing" if isinstance(row, EndpointTable) and row.failing_since else "on"


def _line(row: OutgoingTable, event: EventTable | None, names: dict[tuple[str, int], str]) -> dict[str, Any]:
    return {
        "row": row,
        "what": event.type if event else row.kind,
        "to": queries.receiver_of(row, names),
        "again": row.state in {DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.WAITING},
    }


@router.post("/outgoing/endpoints")
def post_new_endpoint(
    request: Request, fields: FormFields, settings: AppSettings, now: Now, visitor: AdminVisitor
) -> Response:
    """Have events posted to an address; the answer shows the secret this once."""
    try:
        wanted = NewEndpoint(
            url=fields.get("url", "").strip(),
            description=fields.get("description", "").strip(),
            event_types=[one for one in EVENTS if f"event-{one}" in fields],
            quotes="quotes" in fields,
        )
        with write_session(get_engine(request)) as session:
            made = deliveries.post_endpoint(wanted, session, visitor, settings, now)
    except (ValidationError, InvalidInput) as error:
        return _refused(request, error, "endpoint", fields)
    return render(request, "endpoint_secret.html", 201, made=made, rotated=False)


@router.post("/outgoing/endpoints/{endpoint_id}/{act}")
def post_endpoint_act(
    endpoint_id: int,
    act: str,
    request: Request,
    _fields: FormFields,
    settings: AppSettings,
    now: Now,
    visitor: AdminVisitor,
) -> Response:
    """Test an endpoint, switch it on or off, change its secret, or forget it."""
    try:
        with write_session(get_engine(request)) as session:
            if act == "rotate":
                made = deliveries.rotate_endpoint(endpoint_id, session, visitor, now)
                return render(request, "endpoint_secret.html", made=made, rotated=True)
            _endpoint_act(session, endpoint_id, act, settings, now, visitor)
    except Conflict as conflict:
        return _told(request, conflict)
    return RedirectResponse(HOME, 303)


def _endpoint_act(session: Session, endpoint_id: int, act: str, settings: Settings, now: Any, visitor: Caller) -> None:
    if act == "test":
        deliveries.post_test(endpoint_id, session, visitor, now)
    elif act in {"on", "off"}:
        change = EndpointChange(disabled=act == "off")
        deliveries.patch_endpoint(endpoint_id, change, session, visitor, settings, now)
    elif act == "remove":
        deliveries.delete_endpoint(endpoint_id, session, visitor)
    else:
        raise NotFound("There is no such page.")


@router.post("/outgoing/subscriptions")
def post_new_subscription(
    request: Request, fields: FormFields, settings: AppSettings, now: Now, visitor: AdminVisitor
) -> Response:
    """Have digests and alerts sent to somebody."""
    wanted: dict[str, Any] = {name: fields[name] for name in _PLAIN if name in fields}
    wanted |= {
        "time_zone": fields.get("time_zone", "").strip() or "UTC",
        "digest": "digest" in fields,
        "alerts": "alerts" in fields,
        "filters": {name: fields[name].strip() for name in ("segment", "team") if fields.get(name, "").strip()},
    }
    try:
        body = NewSubscription.model_validate(wanted)
        with write_session(get_engine(request)) as session:
            subscriptions.post_subscription(body, session, visitor, settings, now)
    except (ValidationError, InvalidInput) as error:
        return _refused(request, error, "subscription", fields)
    return RedirectResponse(HOME, 303)


@router.post("/outgoing/subscriptions/{subscription_id}/{act}")
def post_subscription_act(
    subscription_id: int,
    act: str,
    request: Request,
    _fields: FormFields,
    settings: AppSettings,
    now: Now,
    visitor: AdminVisitor,
) -> Response:
    """Send a digest now, switch a subscription on or off, or forget it."""
    try:
        with write_session(get_engine(request)) as session:
            if act == "send":
                subscriptions.send_now(subscription_id, session, visitor, now)
            elif act in {"on", "off"}:
                change = SubscriptionChange(disabled=act == "off")
                subscriptions.patch_subscription(subscription_id, change, session, visitor, settings, now)
            elif act == "remove":
                subscriptions.delete_subscription(subscription_id, session, visitor)
            else:
                raise NotFound("There is no such page.")
    except Conflict as conflict:
        return _told(request, conflict)
    return RedirectResponse(HOME, 303)


@router.post("/outgoing/deliveries/{delivery_id}/again")
def post_again(delivery_id: int, request: Request, _fields: FormFields, now: Now, visitor: AdminVisitor) -> Response:
    """Send a delivery once more."""
    try:
        with write_session(get_engine(request)) as session:
            deliveries.redeliver(delivery_id, session, visitor, now)
    except Conflict as conflict:
        return _told(request, conflict)
    return RedirectResponse(f"{HOME}#log", 303)


def _told(request: Request, conflict: Conflict) -> Response:
    with read_session(get_engine(request)) as session:
        return _page(request, session, 409, fault=conflict.detail)


def _refused(request: Request, error: ValidationError | InvalidInput, form: str, fields: dict[str, str]) -> Response:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        fault = f"{first['loc'][0]}: {in_words(first)}"
    else:
        fault = error.detail
    with read_session(get_engine(request)) as session:
        return _page(request, session, 422, fault=fault, form=form, fields=fields)

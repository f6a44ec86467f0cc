"""The page behind the link of digests and alerts: it ends a subscription, without signing in."""

from __future__ import annotations

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from service.database import write_session
from service.deliveries.queries import switch_off
from service.dependencies import Now, ReadSession, get_engine
from service.outgoing_tables import SubscriptionTable
from service.pages.answers import PageRoute, render
from service.subscriptions.links import is_signed
from service.subscriptions.queries import find_subscription

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/unsubscribe/{subscription_id}/{token}")
def get_unsubscribe(subscription_id: str, token: str, request: Request, session: ReadSession) -> Response:
    """Ask before it is ended: mail scanners open every link."""
    row = _meant(session, subscription_id, token)
    return _page(request, row, done=row is not None and row.disabled_at is not None)


@router.post("/unsubscribe/{subscription_id}/{token}")
def post_unsubscribe(subscription_id: str, token: str, request: Request, now: Now) -> Response:
    """End it: by the page's button, or by the mail client's (RFC 8058), which sends no cookie and no origin."""
    with write_session(get_engine(request)) as session:
        row = _meant(session, subscription_id, token, lock=True)
        if row is not None and row.disabled_at is None:
            switch_off(row, "unsubscribed", now)
        return _page(request, row, done=row is not None)


def _meant(session: Session, subscription_id: str, token: str, *, lock: bool = False) -> SubscriptionTable | None:
    """Return the subscription whose own link was opened."""
    known = subscription_id.isascii() and subscription_id.isdigit() and len(subscription_id) < 19
    row = find_subscription(session, int(subscription_id), lock=lock) if known else None
    return row if row is not None and is_signed(row, token) else None


def _page(request: Request, row: SubscriptionTable | None, *, done: bool) -> Response:
    status = 404 if row is None else 200
    name = row.name if row else ""
    return render(request, "unsubscribe.html", status, signed_in=False, name=name, known=bool(row), done=done)

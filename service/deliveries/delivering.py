"""The worker's part of deliveries: takes up those that are due, sends them, and plans the next try."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from service.database import read_session, write_session
from service.deliveries import queries
from service.deliveries.events import DeliveryKind, DeliveryState
from service.deliveries.sending import Answer, post
from service.deliveries.signing import body_of, secrets_in_force, signed_headers
from service.deliveries.words import quotes_of_event
from service.operation.instruments import SENT
from service.outgoing_tables import EndpointTable, EventTable, OutgoingTable, SubscriptionTable
from service.settings import Settings
from service.subscriptions.sending import prepare as prepare_message

# Seconds from a try to the next: the schedule of the Standard Webhooks specification, three days in all.
SCHEDULE = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
JITTER = 0.2
AT_ONCE = 20

_log = structlog.get_logger()

Send = Callable[[], Answer]


def next_delay(attempts: int, retry_after: float | None, jitter: float) -> float | None:
    """Return the seconds until the next try; None after the last.

    Args:
        attempts: Tries made so far, at least 1.
        retry_after: What the receiver asks for; a shorter time than the schedule's changes nothing.
        jitter: In [0, 1]: so much of the jitter is added, so that not all come back at once.
    """
    if attempts > len(SCHEDULE):
        return None
    return max(SCHEDULE[attempts - 1] * (1 + JITTER * jitter), retry_after or 0.0)


class Deliverer:
    """Sends what waits; a delivery may be sent twice where a worker dies after the answer, with the same key."""

    def __init__(self, engine: sa.Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings

    def claim(self, enqueue: Callable[[Session, int], None]) -> None:
        """Hand deliveries that are due to the job engine, in the transaction that marks them as being sent."""
        with read_session(self._engine) as session:
            if not queries.has_due(session, datetime.now(UTC)):
                return
        with write_session(self._engine) as session:
            for delivery_id in queries.claim_due(session, AT_ONCE, datetime.now(UTC)):
                enqueue(session, delivery_id)

    def run(self, delivery_id: int) -> None:
        """Send one delivery and write down what came of it."""
        started_at, clock = datetime.now(UTC), time.monotonic()
        with read_session(self._engine) as session:
            row = queries.find_delivery(session, delivery_id)
            if row is None or row[0].state != DeliveryState.SENDING:
                return
            send = self._prepare(session, *row, started_at)
        answer = send()
        self._record(delivery_id, answer, started_at, int(1000 * (time.monotonic() - clock)))

    def give_back(self, delivery_id: int) -> None:
        """Count a delivery that broke its worker as a failed try."""
        self._record(delivery_id, Answer(None, "the worker broke off"), datetime.now(UTC), 0)

    def _prepare(self, session: Session, row: OutgoingTable, event: EventTable | None, now: datetime) -> Send:
        """Read all that a delivery says; the session is closed before anything is sent."""
        if row.kind != DeliveryKind.WEBHOOK:
            return prepare_message(session, row, self._settings, now)
        assert event is not None
        assert row.endpoint_id is not None
        endpoint = session.get_one(EndpointTable, row.endpoint_id)
        body = body_of(event, quotes_of_event(session, event) if endpoint.quotes else None)
        headers = signed_headers(event.key, body, secrets_in_force(endpoint, now), now)
        url, private = endpoint.url, self._settings.outgoing_private_allowed
        return lambda: post(url, headers, body, allow_private=private)

    def _record(self, delivery_id: int, answer: Answer, started_at: datetime, duration_ms: int) -> None:
        with write_session(self._engine) as session:
            row = queries.lock_delivery(session, delivery_id)
            if row is None or row.state != DeliveryState.SENDING:
                return
            delay = None if answer.for_good else next_delay(row.attempts + 1, answer.retry_after, random.random())  # noqa: S311
            queries.record_attempt(session, row, answer, started_at, duration_ms, delay)
            if row.endpoint_id is not None:
                endpoint = queries.find_endpoint(session, row.endpoint_id)
                if endpoint is not None:
                    queries.note_health(endpoint, answer, last_try=delay is None, now=started_at)
            elif answer.for_good and answer.status in {404, 410}:
                queries.switch_off(session.get_one(SubscriptionTable, row.subscription_id), "gone", started_at)
            self._log(row, answer)

    def _log(self, row: OutgoingTable, answer: Answer) -> None:
        told: dict[str, Any] = {"delivery_id": row.id, "kind": row.kind, "status": answer.status}
        SENT.labels(row.kind, "delivered" if answer.failure is None else "failed").inc()
        if answer.failure is None:
            _log.info("delivered", **told)
        else:
            _log.warning("delivery_failed", **told, failure=answer.failure, attempts=row.attempts, state=row.state)

"""The worker's part of announcing: looks at the ranking every few minutes and announces what is new or risen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from service.analysis.queries import count_in_flight
from service.database import read_session, write_session
from service.deliveries.events import EventType, announce
from service.deliveries.links import item_link
from service.deliveries.rises import Look, look, remember
from service.filters import stored_filters
from service.insights.measures import About
from service.insights.routes import insights
from service.insights.schemas import Insight, PeriodOutput
from service.outgoing_tables import AnnouncedTable, EndpointTable, SubscriptionTable, WatchTable
from service.settings import Settings
from service.sources.freshness import is_late
from service.sources.queries import activity
from service.subscriptions.queries import anything_due, plan_messages
from service.subscriptions.schemas import Sensitivity

LOOK_EVERY = timedelta(minutes=5)
WAIT_FOR_READING = timedelta(minutes=30)  # at most, while notes are being read
SILENT = "silent"

_log = structlog.get_logger()


class Watcher:
    """Looks at rankings; a look that breaks off is repeated and tells nothing twice."""

    def __init__(self, engine: sa.Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings

    def claim(self, enqueue: Callable[[Session, int], None]) -> None:
        """Hand the watches that are due to the job engine."""
        now = datetime.now(UTC)
        self._plan(now)
        with read_session(self._engine) as session:
            if not _listeners(session) or session.scalar(_due(session, now).limit(1)) is None:
                return
        with write_session(self._engine) as session:
            for watch in session.scalars(_due(session, now).with_for_update(of=WatchTable, skip_locked=True)):
                watch.claimed_at = now
                enqueue(session, watch.id)

    def _plan(self, now: datetime) -> None:
        """Have digests and alerts sent that are due."""
        with read_session(self._engine) as session:
            due = anything_due(session, now)
        if due:
            with write_session(self._engine) as session:
                plan_messages(session, now)

    def run(self, watch_id: int) -> None:
        """Look at one ranking: announce what is news, or keep it for a subscription's alert."""
        now = datetime.now(UTC)
        with read_session(self._engine) as session:
            watch = session.get(WatchTable, watch_id)
            if watch is None:
                return
            subscription = session.get(SubscriptionTable, watch.subscription_id) if watch.subscription_id else None
            filters = stored_filters(session, subscription.filters if subscription else {})
            keenness = Sensitivity(subscription.sensitivity) if subscription else Sensitivity.KEEN
            found = look(session, watch, filters, now, keenness)
            own = subscription is not None
            told = [] if own else self._told(session, found)
        with write_session(self._engine) as session:
            tells = remember(session, watch_id, found, now, waits=own)
            for event_type, data in told if tells else []:
                announce(session, event_type, data, now=now)
            if not own:
                _announce_silence(session, watch_id, now, tells=found.looked_before is not None)
        if tells and (found.rises or found.emerging):
            _log.info("rises_found", watch_id=watch_id, rises=len(found.rises), emerging=len(found.emerging))

    def _told(self, session: Session, found: Look) -> list[tuple[EventType, dict[str, Any]]]:
        """Return the events of a look with their data."""
        ranked = [rise.ranked for rise in found.rises]
        shown = {(i.about, i.id): i for i in insights(session, found.filters, found.ranking, ranked)}
        told = []
        for rise in found.rises:
            insight = shown.get((rise.ranked.item.about, rise.id))
            if insight is not None:
                kind = EventType.INSIGHT_NEW if rise.is_new else EventType.INSIGHT_RISEN
                told.append((kind, insight_data(insight, found, self._settings)))
        for theme in found.emerging:
            told.append(
                (
                    EventType.THEME_EMERGING,
                    {
                        "theme": {"id": theme.key, "label": {"en": theme.label_en, "fr": theme.label_fr}},
                        "url": item_link(self._settings, About.THEME, theme.key),
                    },
                )
            )
        return told


def insight_data(insight: Insight, found: Look, settings: Settings) -> dict[str, Any]:
    """Return what an event says of an insight: all but the quotes."""
    frame = found.ranking.frame
    previous = frame.previous
    return {
        "insight": insight.model_dump(mode="json", exclude={"quotes"}),
        "period": PeriodOutput(start=frame.period.start, end=frame.period.end).model_dump(mode="json"),
        "previous": PeriodOutput(start=previous.start, end=previous.end).model_dump(mode="json") if previous else None,
        "url": item_link(settings, insight.about, insight.id, frame.period),
    }


def _listeners(session: Session) -> bool:
    """Tell whether anybody wants to know."""
    endpoint = sa.select(EndpointTable.id).where(EndpointTable.disabled_at.is_(None)).limit(1)
    subscriber = sa.select(SubscriptionTable.id).where(
        SubscriptionTable.disabled_at.is_(None), SubscriptionTable.alerts.is_(True)
    )
    return session.scalar(endpoint) is not None or session.scalar(subscriber.limit(1)) is not None


def _due(session: Session, now: datetime) -> sa.Select[WatchTable]:
    """Ask for the watches to look at: every five minutes, and not while notes are being read, for half an hour."""
    latest = now - (WAIT_FOR_READING if count_in_flight(session) else LOOK_EVERY)
    return (
        sa.select(WatchTable)
        .outerjoin(SubscriptionTable, SubscriptionTable.id == WatchTable.subscription_id)
        .where(sa.or_(WatchTable.claimed_at.is_(None), WatchTable.claimed_at <= latest))
        .where(SubscriptionTable.disabled_at.is_(None), SubscriptionTable.alerts.is_not(False))
        .order_by(WatchTable.id)
    )


def _announce_silence(session: Session, watch_id: int, now: datetime, *, tells: bool) -> None:
    """Announce connections that fell silent, once each time."""
    query = sa.select(AnnouncedTable).where(AnnouncedTable.watch_id == watch_id, AnnouncedTable.about == SILENT)
    known = {row.key: row for row in session.scalars(query)}
    for row in activity(session):
        if row.last_note_at is None or not is_late(row, now):
            continue
        key = f"{row.source}/{row.connection}"
        before = known.get(key)
        if before is not None and before.announced_at >= row.last_note_at:
            continue
        if before is None:
            before = AnnouncedTable(watch_id=watch_id, about=SILENT, key=key, notes=0, of_notes=0, sent=True)
            session.add(before)
        before.announced_at = now
        if tells:
            data = {
                "source": row.source,
                "connection": row.connection,
                "last_note_at": row.last_note_at.isoformat().replace("+00:00", "Z"),
                "usual_gap_seconds": row.gap_seconds,
            }
            announce(session, EventType.SOURCE_SILENT, data, now=now)

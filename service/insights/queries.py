"""The ranking over all kinds, and the names of items."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from models.types import ObjectionType
from service.database import read_session
from service.filters import Filters
from service.insights.evidence import Quote, best_quotes
from service.insights.folding import fold
from service.insights.items import Frame, Item, measure_items, measuring_frame
from service.insights.measures import About
from service.insights.ranking import RankedItem, rank
from service.insights.schemas import AlsoSeen, Label
from service.insights.weights import weights_of
from service.insights.words import OBJECTION_TITLES, overlap
from service.sources.record_links import options_by_source
from service.tables import CompetitorMentionTable, ThemeTable
from service.thresholds import thresholds_of

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ranking:
    """The ranked items of a period, and what they were measured against; `withheld` are those that too few said."""

    frame: Frame
    items: list[RankedItem]
    withheld: int = 0

    @property
    def all_items(self) -> list[RankedItem]:
        """The items with those that are told with them."""
        return [one for ranked in self.items for one in (ranked, *(also.ranked for also in ranked.also))]


def rank_insights(session: Session, filters: Filters, kinds: Collection[About] = tuple(About)) -> Ranking:
    """Rank the items of several kinds together; competitors that the catalogue lacks and muted themes are left out."""
    frame = measuring_frame(session, filters)
    measured = [measure_items(session, about, filters, frame) for about in About if about in kinds]
    muted = muted_themes(session) if About.THEME in kinds else frozenset()
    shown, withheld = (
        [i for i in items if not is_unlisted(i) and not (i.about is About.THEME and i.key in muted)]
        for items in ([i for of in measured for i in of.items], [i for of in measured for i in of.withheld])
    )
    ranked = fold(rank(shown, frame.whole, weights_of(session)), frame.days)
    return Ranking(frame, ranked, sum(1 for item in withheld if item.counts.mentions))


def read_ahead(engine: sa.Engine) -> None:
    """Read what the first question is mostly about, so that who asks it need not wait; it has to come in any case."""
    try:
        with read_session(engine) as session:
            rank_insights(session, Filters())
    except Exception as error:  # a later question tells what is wrong
        _log.warning("read_ahead_failed", error=type(error).__name__)


def muted_themes(session: Session) -> frozenset[int]:
    """Return the row ids of the themes that a person muted."""
    return frozenset(session.scalars(sa.select(ThemeTable.id).where(ThemeTable.muted.is_(True))))


def is_unlisted(item: Item) -> bool:
    """Tell whether an item is a competitor that the catalogue lacks."""
    return item.about is About.COMPETITOR and not is_known(item)


def is_known(item: Item) -> bool:
    """Tell whether the catalogue has a competitor."""
    return item.counts.details.get("known", {}).get("True", 0) > 0


def titles(session: Session, about: About, keys: Collection[Any]) -> dict[Any, Label]:
    """Return the names of items in both languages, by key."""
    if about is About.OBJECTION:
        return {key: OBJECTION_TITLES[ObjectionType(key)] for key in keys}
    if about is About.THEME:
        themes = session.scalars(sa.select(ThemeTable).where(ThemeTable.id.in_(keys)))
        return {theme.id: Label(en=theme.label_en, fr=theme.label_fr) for theme in themes}
    return {key: Label(en=name, fr=name) for key, name in _latest_names(session, keys).items()}


def _latest_names(session: Session, keys: Collection[str]) -> dict[str, str]:
    """Return how each competitor was last written.

    The index gives the latest mention of each key; to look at all mentions takes longer than to count them.
    """
    if not keys:
        return {}
    mention = CompetitorMentionTable
    asked = sa.values(sa.column("key", sa.String), name="asked").data([(key,) for key in keys]).cte("asked")
    latest = (
        sa.select(mention.name)
        .where(mention.name_key == asked.c.key)
        .order_by(mention.occurred_on.desc(), mention.note_id.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(sa.select(asked.c.key, latest))
    return {key: name for key, name in rows if name is not None}


def public_ids(session: Session, about: About, keys: Collection[Any]) -> dict[Any, str]:
    """Return the ids that the API shows, by key: a theme's row id stays inside."""
    if about is not About.THEME:
        return {key: str(key) for key in keys}
    rows = session.execute(sa.select(ThemeTable.id, ThemeTable.key).where(ThemeTable.id.in_(keys)))
    return {row.id: row.key for row in rows}


def quotes_of(
    session: Session, ranking: Ranking, ranked: Collection[RankedItem], each: int = 3
) -> dict[tuple[About, Any], list[Quote]]:
    """Return a few quotes of some of a ranking's items, by kind and key."""
    found: dict[tuple[About, Any], list[Quote]] = {}
    connected = options_by_source(session)
    for about in About:
        keys = [r.item.key for r in ranked if r.item.about is about]
        if keys:
            quotes = best_quotes(session, about, ranking.frame.days, items=keys, each=each, connected=connected)
            found |= {(about, key): quotes.get(key, []) for key in keys}
    return found


def also_seen(session: Session, ranked: Collection[RankedItem]) -> dict[tuple[About, Any], list[AlsoSeen]]:
    """Return what is told with each of some items, by kind and key; with thresholds without its figures."""
    below = [also.ranked.item for one in ranked for also in one.also]
    names: dict[tuple[About, Any], Label] = {}
    ids: dict[tuple[About, Any], str] = {}
    for about in {item.about for item in below}:
        keys = [item.key for item in below if item.about is about]
        names |= {(about, key): label for key, label in titles(session, about, keys).items()}
        ids |= {(about, key): shown for key, shown in public_ids(session, about, keys).items()}
    hidden = thresholds_of(session).are_set
    found: dict[tuple[About, Any], list[AlsoSeen]] = {}
    for one in ranked:
        for also in one.also:
            item = also.ranked.item
            place = (item.about, item.key)
            if place in names:
                seen = AlsoSeen(
                    about=item.about,
                    id=ids[place],
                    title=names[place],
                    score=also.ranked.score,
                    shared=None if hidden else also.shared,
                    of=None if hidden else also.of,
                    text=overlap(one.item.about, also, hidden=hidden),
                )
                found.setdefault((one.item.about, one.item.key), []).append(seen)
    return found

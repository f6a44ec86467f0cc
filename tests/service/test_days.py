"""Days held in memory are never stale: after each kind of write, for each filter, counts are what the tables say."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.types import ObjectionType
from service.database import make_engine, migrate, read_session, write_session
from service.filters import Filters, Period, finding_conditions
from service.insights import choosing, counting, days, triggers
from service.insights.days import read_days
from service.insights.items import measure_items, measuring_frame
from service.insights.measures import DETAILS, ITEM_COLUMNS, TABLES, About
from service.insights.queries import rank_insights, read_ahead
from service.insights.tables import DayVersionTable
from service.tables import AccountTable, CompetitorMentionTable, DealTable, NoteTable, ObjectionTable, PassageTable
from tests.bench.seed import seed
from tests.plans import plans

PERIOD = {"from": "2026-03-01", "to": "2026-09-30"}
FILTERS: list[dict[str, str]] = [
    {},
    {"team": "north"},
    {"segment": "small", "outcome": "open"},
    {"language": "fr", "author": "rep-7"},
    {"competitor": "Rival 1"},
    {"objection_type": "price", "theme": "theme-1"},
    {"account": "acc-1"},
    {"source": "nowhere"},
    {"competitor": "Nobody"},
]


def expected(session: Session, about: About, filters: Filters, period: Period) -> dict[Any, tuple[Any, ...]]:
    """Count as slowly and plainly as it can be done."""
    table, column = TABLES[about], ITEM_COLUMNS[about]
    details = [value for value, _ in DETAILS[about].values()]
    people = (table.note_id, table.account_id, table.author_id, table.deal_id)
    query = sa.select(column, *people, DealTable.outcome, *details).outerjoin(DealTable, DealTable.id == table.deal_id)
    rows = session.execute(query.where(*finding_conditions(filters, table, period), column.is_not(None))).all()
    counts = {}
    for item in {row[0] for row in rows}:
        own = [row for row in rows if row[0] == item]
        sets = [{row[n] for row in own if row[n] is not None} for n in (1, 2, 3)]
        ended = Counter(outcome for _, outcome in {(row[4], row[5]) for row in own})
        values = [Counter(str(row[n]) for row in own) for n in range(6, 6 + len(details))]
        counts[item] = (len(own), *map(len, sets), ended["won"], ended["lost"], values)
    return counts


def counted(session: Session, about: About, filters: Filters) -> dict[Any, tuple[Any, ...]]:
    items = measure_items(session, about, filters, measuring_frame(session, filters)).items
    found = {}
    for item in items:
        c = item.counts
        if c.mentions:
            values = [Counter({v: n for v, n in c.details[name].items() if n}) for name in DETAILS[about]]
            found[item.key] = (c.mentions, c.notes, c.accounts, c.authors, c.deals.won, c.deals.lost, values)
    return found


def expected_to_meet(session: Session, filters: Filters, period: Period) -> dict[Any, tuple[int, int]]:
    """Count what shares words as slowly and plainly."""
    met = {}
    for about in (About.OBJECTION, About.COMPETITOR):
        other, item = TABLES[about], ITEM_COLUMNS[about]
        counts = [sa.func.count(sa.distinct(table.id)) for table in (PassageTable, other)]
        query = (
            sa.select(PassageTable.theme_id, item, *counts)
            .join(other, other.note_id == PassageTable.note_id)
            .where(PassageTable.start < other.end, other.start < PassageTable.end)
            .where(PassageTable.theme_id.is_not(None), *finding_conditions(filters, other, period))
        )
        rows = session.execute(query.group_by(PassageTable.theme_id, item))
        met |= {(theme, about, key): (passages, others) for theme, key, passages, others in rows}
    return met


def check(engine: sa.Engine) -> None:
    for asked in FILTERS:
        filters = Filters.model_validate(PERIOD | asked)
        with read_session(engine) as session:
            frame = measuring_frame(session, filters)
            for about in About:
                assert counted(session, about, filters) == expected(session, about, filters, frame.period), asked
            met = {pair: counts for pair, counts in counting.count_met(frame.days).items() if any(counts)}
            assert met == expected_to_meet(session, filters, frame.period), asked
            before = frame.period.previous
            for about in About:
                heard = {item.key: item.trend.previous for item in measure_items(session, about, filters, frame).items}
                earlier = {key: c[1] for key, c in expected(session, about, filters, before).items()}
                assert {key: n for key, n in heard.items() if n} == earlier, asked


def _first(session: Session, table: Any, *conditions: Any) -> Any:
    return session.scalar(
        sa.select(table).where(table.occurred_on >= date(2026, 4, 1), *conditions).order_by(table.id).limit(1)
    )


def _another_type(session: Session) -> None:
    _first(session, ObjectionTable, ObjectionTable.type == "price").type = "trust"


def _mention_gone(session: Session) -> None:
    session.delete(_first(session, CompetitorMentionTable))


def _mention_added(session: Session) -> None:
    one = _first(session, CompetitorMentionTable)
    columns = [c.name for c in CompetitorMentionTable.__table__.columns if c.name != "id"]
    session.execute(sa.insert(CompetitorMentionTable), [{c: getattr(one, c) for c in columns} | {"start": 50}])


def _themes_moved(session: Session) -> None:
    session.execute(sa.update(PassageTable).where(PassageTable.theme_id == 1).values(theme_id=2))


def _deals_won(session: Session) -> None:
    session.execute(sa.update(DealTable).where(DealTable.id < 3000).values(outcome="won"))


def _note_erased(session: Session) -> None:
    session.execute(sa.delete(NoteTable).where(NoteTable.id == _first(session, ObjectionTable).note_id))


def _note_in_french(session: Session) -> None:
    session.execute(sa.update(NoteTable).where(NoteTable.id < 100).values(language="fr"))


WRITES = [
    _another_type,
    _mention_gone,
    _mention_added,
    _themes_moved,
    _deals_won,
    _note_erased,
    _note_in_french,
]


def test_counts_are_what_the_tables_say_after_each_write(engine: sa.Engine) -> None:
    seed(engine, 400)
    check(engine)
    for write in WRITES:
        with write_session(engine) as session:
            write(session)
        check(engine)


def test_a_note_moved_to_another_day_counts_there_once(engine: sa.Engine) -> None:
    seed(engine, 50)
    asked = Filters.model_validate({"from": "2020-01-01", "to": "2026-09-30", "compare": "none"})
    with read_session(engine) as session:
        before = measuring_frame(session, asked).whole
    with write_session(engine) as session:
        note = session.scalars(sa.select(NoteTable).order_by(NoteTable.id)).first()
        assert note is not None
        note.occurred_at -= timedelta(days=1)
    with read_session(engine) as session:
        frame = measuring_frame(session, asked)
        assert (frame.whole.notes, frame.whole.accounts) == (before.notes, before.accounts)
        for about in About:
            assert counted(session, about, asked) == expected(session, about, asked, frame.period)


@pytest.mark.parametrize("write", [_another_type, _themes_moved])
def test_what_is_rolled_back_was_never_there(engine: sa.Engine, write: Callable[[Session], None]) -> None:
    seed(engine, 200)
    asked = Filters.model_validate(PERIOD)

    def scores(session: Session) -> list[tuple[Any, float, int]]:
        return [(r.item.key, r.score, r.item.counts.mentions) for r in rank_insights(session, asked).items]

    with read_session(engine) as session:
        before = scores(session)
    with Session(engine) as session:
        write(session)
        session.flush()
        assert scores(session) != before
        session.rollback()
    with read_session(engine) as session:
        assert scores(session) == before


def test_writers_of_one_day_do_not_wait_for_each_other(engine: sa.Engine) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    seed(engine, 100)
    day = Period(date(2000, 1, 1), date(2030, 1, 1))
    with read_session(engine) as session:
        versions = days._versions(session, day)
    with Session(engine) as one, Session(engine) as other:
        for session, end in ((one, 51), (other, 52)):
            session.execute(sa.text("set local lock_timeout = '2s'"))
            half = sa.update(PassageTable).where(PassageTable.note_id % 2 == end % 2)
            session.execute(half.values(end=end))
        one.commit()
        other.commit()
    with read_session(engine) as session:
        after = days._versions(session, day)
        assert after.keys() == versions.keys()
        assert [d for d in after if set(after[d]) & set(versions[d])] == []
        session.rollback()
    with write_session(engine) as session:
        session.execute(sa.update(PassageTable).values(end=53))
    with read_session(engine) as session:
        tokens = session.scalars(sa.select(sa.func.count()).select_from(DayVersionTable).group_by(DayVersionTable.day))
        assert set(tokens) == {1}


def test_triggers_come_back_after_a_table_was_built_anew(database_url: str) -> None:
    engine = make_engine(database_url)
    with engine.begin() as connection:
        expected_triggers = triggers._present(connection)
        triggers.remove(connection)
        assert not {name for name in triggers._present(connection) if name.startswith("version_")}
        if engine.dialect.name == "sqlite":
            earlier = "create trigger version_notes_insert after insert on notes begin delete from day_versions; end"
            connection.exec_driver_sql(earlier)
    migrate(database_url)
    with engine.connect() as connection:
        assert triggers._present(connection) == expected_triggers
    engine.dispose()


def test_no_more_is_held_than_there_is_room_for(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    seed(engine, 300)
    monkeypatch.setattr(days, "MAX_HELD", 100)
    monkeypatch.setattr(days, "_HELD", days._Held())
    with read_session(engine) as session:
        found = read_days(session, Period(date(2024, 1, 1), date(2026, 12, 31)))
        assert sum(len(day.accounts) for day in found) == 300
        assert sum(day.size for day in days.held_days()) <= 100
    check(engine)


def test_what_several_ask_for_at_once_is_read_once(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    seed(engine, 300)
    read: list[date] = []
    load = days._load

    def slowly(session: Session, some: Sequence[date]) -> dict[date, days.Day]:
        read.extend(some)
        time.sleep(0.02)
        return load(session, some)

    def ask(_: int) -> list[days.Day]:
        with read_session(engine) as session:
            return read_days(session, Period(date(2024, 1, 1), date(2026, 12, 31)))

    monkeypatch.setattr(days, "_load", slowly)
    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(ask, range(4))
    assert others == [first] * 3
    assert len(read) == len(set(read)) == len(first) > days.DAYS_AT_ONCE


def test_what_is_read_ahead_is_there_for_the_first_question(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    seed(engine, 300)
    read_ahead(engine)
    monkeypatch.setattr(days, "_load", None)
    with read_session(engine) as session:
        assert rank_insights(session, Filters()).items


def test_a_database_that_is_away_at_the_start_is_for_the_first_question_to_tell() -> None:
    read_ahead(sa.create_engine("sqlite:////nowhere/at/all.db"))


@pytest.mark.parametrize("filters", [{}, {"segment": "small", "language": "fr"}, {"competitor": "Rival 3"}])
def test_counting_reads_indexes_alone_and_sorts_nothing(
    engine: sa.Engine, filters: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a million findings a full scan, a look at the rows, or a sort costs more than all the rest."""
    seed(engine, 3_000)
    monkeypatch.setattr(days, "_HELD", days._Held())
    asked = Filters.model_validate({"from": "2026-09-01", "to": "2026-09-30", **filters})
    seen = []
    for _ in range(2):
        with read_session(engine) as session, plans(engine) as lines:
            if engine.dialect.name == "postgresql":
                session.execute(sa.text("set local enable_seqscan = off"))  # so small a table is read whole
            rank_insights(session, asked)
        seen.append(lines)
    cold, warm = seen
    big = ("notes", "objections", "passages", "competitor_mentions")
    assert [line for line in warm if any(f" {table} " in f"{line} " for table in big)] == []
    reading = [line for line in cold if any(f"ix_{table}_" in line for table in big)]
    assert len({name for line in reading for name in big if f"ix_{name}_" in line}) == 4
    if engine.dialect.name == "sqlite":
        scans = [line for line in cold if any(f" {table} " in f"{line} " for table in big)]
        assert [line for line in scans if not line.startswith("SEARCH") or "COVERING INDEX" not in line] == []
        assert [line for line in cold + warm if "TEMP B-TREE FOR GROUP BY" in line] == []
    else:
        assert [line for line in cold if "Seq Scan" in line and any(f" {table} " in line for table in big)] == []


def test_deals_are_read_again_only_when_one_has_changed(engine: sa.Engine) -> None:
    seed(engine, 100)
    asked = Filters.model_validate({"from": "2020-01-01", "to": "2026-09-30"})

    def reads_deals() -> bool:
        with read_session(engine) as session, plans(engine) as lines:
            rank_insights(session, asked)
        return any(" deals" in line for line in lines)

    assert [reads_deals(), reads_deals()] == [True, False]
    with write_session(engine) as session:
        session.execute(sa.update(DealTable).values(stage="proposal"))
    assert not reads_deals()
    with write_session(engine) as session:
        _deals_won(session)
    assert reads_deals()


def test_what_did_not_change_is_not_counted_again(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    seed(engine, 400)
    asked = Filters.model_validate({"from": "2020-01-01", "to": "2026-09-30", "segment": "small"})
    add_up, items = counting._sum, [0]

    def counting_items(tally: Any) -> Any:
        items[0] += 1
        return add_up(tally)

    monkeypatch.setattr(counting, "_sum", counting_items)

    def counted_anew() -> int:
        items[0] = 0
        with read_session(engine) as session:
            rank_insights(session, asked)
        return items[0]

    all_items = counted_anew()
    assert all_items > len(ObjectionType)
    assert counted_anew() == 0
    with write_session(engine) as session:
        _mention_gone(session)
    assert counted_anew() == all_items
    with write_session(engine) as session:
        session.execute(sa.update(AccountTable).where(AccountTable.id < 1000).values(segment="enterprise"))
    assert 0 < counted_anew() <= all_items


@pytest.mark.parametrize("filters", [{}, {"segment": "small"}, {"competitor": "Rival 1"}])
def test_a_day_that_changes_again_and_again_is_in_memory_once(
    engine: sa.Engine, filters: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(days, "_HELD", days._Held())
    monkeypatch.setattr(choosing, "_CHOICES", choosing._Choices())
    before = _in_memory(days.Day), _in_memory(choosing.Choice), _in_memory(counting.Sum)
    seed(engine, 300)
    asked = Filters.model_validate(PERIOD | filters)
    held = []
    for end in range(50, 56):
        with read_session(engine) as session:
            rank_insights(session, asked)
        held.append((_in_memory(days.Day), _in_memory(choosing.Choice), _in_memory(counting.Sum)))
        with write_session(engine) as session:
            session.execute(sa.update(PassageTable).values(end=end))
    assert held[0] > before
    assert held == held[:1] * len(held)


def _in_memory(kind: type) -> int:
    return sum(type(one) is kind for one in gc.get_objects())


def test_what_was_asked_of_a_replaced_day_goes_with_it(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many ask with filters of their own, once; what was counted for them must not stay when a fit renews all days."""
    monkeypatch.setattr(days, "_HELD", days._Held())
    monkeypatch.setattr(choosing, "_CHOICES", choosing._Choices())
    seed(engine, 100)
    with read_session(engine) as session:
        for filters in FILTERS:
            rank_insights(session, Filters.model_validate(PERIOD | filters))
    assert len(choosing._CHOICES._choices) > 2
    with write_session(engine) as session:
        session.execute(sa.update(PassageTable).values(end=50))
    with read_session(engine) as session:
        rank_insights(session, Filters.model_validate(PERIOD))
    assert len(choosing._CHOICES._choices) == 2  # the period and the one before


def test_a_version_read_late_is_no_answer_to_who_sees_a_newer_one(engine: sa.Engine) -> None:
    """A request with an older view may read a day last; what it leaves in memory is not what others see."""
    seed(engine, 200)
    asked = Filters.model_validate(PERIOD)
    view = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with Session(engine.execution_options(read_only=True, **view)) as old:
        seen = counted(old, About.COMPETITOR, asked)
        with write_session(engine) as session:
            _mention_gone(session)
        for _ in range(2):
            with read_session(engine) as session:
                assert counted(session, About.COMPETITOR, asked) != seen
            assert counted(old, About.COMPETITOR, asked) == seen
    check(engine)


def test_only_what_is_counted_gives_a_day_a_new_version(engine: sa.Engine) -> None:
    """A fit writes how near each passage is to its theme: were all days read again for it, it would stop all others."""
    seed(engine, 200)
    always = Period(date(2000, 1, 1), date(2030, 1, 1))

    def renewed(write: Callable[[Session], object]) -> set[date]:
        with read_session(engine) as session:
            before = days._versions(session, always)
        with write_session(engine) as session:
            write(session)
        with read_session(engine) as session:
            return {day for day, version in days._versions(session, always).items() if version != before.get(day)}

    with read_session(engine) as session:
        one = _first(session, PassageTable, PassageTable.theme_id == 1)
        day, row = one.occurred_on, PassageTable.id == one.id
    fitted = sa.update(PassageTable)
    assert renewed(lambda session: session.execute(fitted.values(similarity=0.4))) == set()
    assert renewed(lambda session: session.execute(fitted.where(row).values(theme_id=1, similarity=0.5))) == set()
    assert renewed(lambda session: session.execute(fitted.where(row).values(theme_id=None))) == {day}
    assert renewed(lambda session: session.execute(fitted.where(row).values(start=7))) == {day}
    later = day + timedelta(days=1)
    assert renewed(lambda session: session.execute(fitted.where(row).values(occurred_on=later))) == {day, later}

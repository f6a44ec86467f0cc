"""What a change comes from: each note that differs has one cause, and the parts add up."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from service.corrections.schemas import CorrectionKind
from service.database import read_session, write_session
from service.filters import Period
from service.reports.ledger import Entry, pack, read_ledger, unpack
from service.reports.splitting import compare_ledgers, split_changes
from service.tables import CorrectionTable, NoteTable
from tests.service.visits import make_theme, read_in
from tests.work import note

SEPTEMBER = Period(date(2026, 9, 1), date(2026, 9, 30))
HOSTING, PRICE = ("theme", "theme-1"), ("objection", "price")

entries = st.builds(
    Entry,
    revision=st.integers(1, 2),
    reader=st.sampled_from(["a", "b"]),
    corrections=st.integers(0, 1),
    items=st.frozensets(st.sampled_from([HOSTING, PRICE, ("theme", "theme-2"), ("competitor", "orbiport")])),
)
ledgers = st.dictionaries(st.integers(1, 12), entries, max_size=12)


def entry(*items: tuple[str, str], revision: int = 1, reader: str = "a", corrections: int = 0) -> Entry:
    return Entry(revision, reader, corrections, frozenset(items))


@given(frozen=ledgers, recounted=ledgers, now=ledgers)
def test_the_parts_add_up(frozen: dict, recounted: dict, now: dict) -> None:
    for item, split in split_changes(frozen, recounted, now).items():
        assert split.then == sum(item in e.items for e in frozen.values())
        assert split.then + split.notes + split.reader + split.taxonomy + split.market == split.now


@given(ledger=ledgers)
def test_a_ledger_comes_back_as_it_was(ledger: dict) -> None:
    assert unpack(pack(ledger)) == ledger
    assert pack(dict(reversed(ledger.items()))) == pack(ledger)


def test_each_cause() -> None:
    frozen = {1: entry(HOSTING), 2: entry(HOSTING), 3: entry(HOSTING), 4: entry(), 5: entry(PRICE)}
    recounted = {
        1: entry(),  # its theme changed, nothing else
        2: entry(reader="b"),  # another reader
        4: entry(HOSTING, revision=2),  # edited
        5: entry(corrections=1),  # a person said that it is no objection
        6: entry(HOSTING),  # late
    }
    now = {7: entry(HOSTING), 8: entry(HOSTING), 9: entry(HOSTING)}
    split = split_changes(frozen, recounted, now)
    hosting, price = split[HOSTING], split[PRICE]
    assert (hosting.then, hosting.recounted, hosting.now) == (3, 2, 3)
    assert (hosting.notes, hosting.reader, hosting.taxonomy, hosting.market) == (1, -1, -1, 1)
    assert (price.then, price.reader, price.market) == (1, -1, 0)
    happened = compare_ledgers(frozen, recounted)
    assert (happened.late, happened.erased, happened.edited) == (1, 1, 1)
    assert (happened.read_anew, happened.corrected, happened.regrouped) == (1, 1, 1)


def test_without_a_report_of_the_month_before_only_the_recount_is_known() -> None:
    split = split_changes(None, {1: entry(PRICE)}, {2: entry(PRICE), 3: entry(PRICE)})[PRICE]
    assert (split.then, split.recounted, split.now, split.market) == (None, 1, 2, 1)


def test_a_month_s_ledger(engine: sa.Engine) -> None:
    first, second, _ = read_in(
        engine, note("n1"), note("n2", "Nice people."), note("n3", occurred_at="2026-10-01T00:00:00Z")
    )
    make_theme(engine, "theme-1", "Hosting", "Hébergement")
    with write_session(engine) as session:
        session.add(
            CorrectionTable(
                note_id=first,
                kind=CorrectionKind.WRONG_TYPE,
                start=0,
                end=3,
                quote="The",
                prefix="",
                suffix="",
                state="active",
                created_by="a key",
                created_at=session.get_one(NoteTable, first).received_at,
            )
        )
    with read_session(engine) as session:
        ledger = read_ledger(session, SEPTEMBER)
    assert ledger == {
        first: Entry(1, "fake-1", 1, frozenset({PRICE, HOSTING})),
        second: Entry(1, "fake-1", 0, frozenset({HOSTING})),
    }

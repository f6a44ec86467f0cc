"""One matter is one insight: what stands on the same words is told with the higher item, and nothing is lost."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.database import read_session, write_session
from service.filters import Filters
from service.insights.folding import fold
from service.insights.measures import About
from service.insights.queries import also_seen, rank_insights
from service.insights.statistics import Direction
from service.outgoing_tables import SubscriptionTable
from service.reports.content import build_content, month_period
from service.reports.ledger import read_ledger
from service.reports.outline import outline
from service.reports.schemas import Edition, ReportLanguage
from service.settings import Settings
from service.subscriptions.content import MessageKind, compose
from service.tables import PassageTable, ThemeTable
from service.thresholds import OPTION, Thresholds
from tests.service.visits import NOW, name_competitor, read_in, shown
from tests.work import note

SEPTEMBER = {"from": "2026-09-01", "to": "2026-09-30"}
PRICE, OTHER = "It is too expensive.", "The weather was fine."
SAID = "4 of its 5 passages hold this objection"


def fill(engine: sa.Engine, *, themed: int = 4, untouched: int = 1, wider: int = 4) -> None:
    """Notes on price at `themed + wider` accounts; the theme Prices has the first ones, and some `untouched` by it."""
    name_competitor(engine, "Orbiport")
    texts = [PRICE] * (themed + wider) + [OTHER] * (untouched + 8)
    ids = read_in(
        engine,
        *(
            note(f"n{i}", text, account={"id": f"a{i}", "name": f"Account {i}"}, author={"id": f"r{i % 4}"})
            for i, text in enumerate(texts)
        ),
    )
    begin = themed + wider
    put(engine, "prices", "Prices", [*ids[:themed], *ids[begin : begin + untouched]])


def put(engine: sa.Engine, key: str, label: str, notes: list[int]) -> None:
    """Make a theme of the passages of some notes."""
    with write_session(engine) as session:
        made: dict[str, Any] = {"created_at": NOW, "updated_at": NOW, "keywords": {}, "centroid": b""}
        theme = ThemeTable(key=key, label_en=label, label_fr=label, **made)
        session.add(theme)
        session.flush()
        of_notes = sa.update(PassageTable).where(PassageTable.note_id.in_(notes))
        session.execute(of_notes.values(theme_id=theme.id, similarity=0.9))


def ranked(client: TestClient, **asked: str) -> list[tuple[int, str, list[str]]]:
    items = client.get("/v1/insights", params=SEPTEMBER | asked).json()["items"]
    return [(i["rank"], i["id"], [also["id"] for also in i["also"]]) for i in items]


def test_a_theme_that_is_mostly_an_objection_is_told_with_it(client: TestClient, engine: sa.Engine) -> None:
    fill(engine)
    assert ranked(client) == [(1, "price", ["prices"])]
    also = client.get("/v1/insights", params=SEPTEMBER).json()["items"][0]["also"][0]
    assert (also["about"], also["shared"], also["of"], also["text"]["en"]) == ("theme", 4, 5, SAID)
    assert also["text"]["fr"] == "4 de ses 5 passages contiennent cette objection"
    assert ranked(client, about="theme") == [(1, "prices", [])], "asked for alone, it is ranked on its own"
    assert client.get("/v1/themes", params=SEPTEMBER).json()["items"][0]["notes"] == 5


@pytest.mark.parametrize(
    ("parts", "together"),
    [
        ({"themed": 4, "untouched": 2}, True),  # two thirds
        ({"themed": 5, "untouched": 3}, False),
        ({"themed": 2, "untouched": 0}, False),  # too few to tell
        ({"themed": 3, "untouched": 0}, True),
    ],
)
def test_it_takes_two_thirds_of_the_passages_and_three(
    parts: dict[str, int], together: bool, client: TestClient, engine: sa.Engine
) -> None:
    fill(engine, **parts)
    assert ranked(client) == ([(1, "price", ["prices"])] if together else [(1, "price", []), (2, "prices", [])])


def test_a_theme_of_one_competitor_is_told_with_it(client: TestClient, engine: sa.Engine) -> None:
    name_competitor(engine, "Orbiport")
    texts = ["They use Orbiport."] * 5 + [OTHER] * 5
    ids = read_in(engine, *(note(f"n{i}", text, account={"id": f"a{i}"}) for i, text in enumerate(texts)))
    put(engine, "rivals", "Rivals", ids[:4])
    assert ranked(client) == [(1, "orbiport", ["rivals"])]
    text = client.get("/v1/insights", params=SEPTEMBER).json()["items"][0]["also"][0]["text"]["en"]
    assert text == "4 of its 4 passages name this competitor"


def under(session: Any, higher: About, lower: About) -> list[int]:
    """Return how many items each has under it, where one kind ranks above the other."""
    asked = Filters.model_validate(SEPTEMBER)
    first, last = (rank_insights(session, asked, (kind,)) for kind in (higher, lower))
    return [len(one.also) for one in fold([*first.items, *last.items], first.frame.days)]


@pytest.mark.parametrize(("wider", "together"), [(3, [1]), (4, [0, 0])])
def test_an_objection_is_told_with_a_higher_theme_only_if_it_is_no_wider(
    wider: int, together: list[int], engine: sa.Engine
) -> None:
    fill(engine, themed=6, untouched=1, wider=wider)
    with read_session(engine) as session:
        assert under(session, About.OBJECTION, About.THEME) == [1]
        assert under(session, About.THEME, About.OBJECTION) == together


def test_a_theme_that_rises_is_told_alone_and_what_else_rises_with_a_theme_that_rises_too(engine: sa.Engine) -> None:
    fill(engine, themed=6, wider=3)
    with read_session(engine) as session:
        asked = Filters.model_validate(SEPTEMBER)
        ranking = rank_insights(session, asked)
        price, prices = ranking.all_items
        risen = [
            replace(one, also=(), item=replace(one.item, trend=replace(one.item.trend, direction=Direction.RISING)))
            for one in (price, prices)
        ]
        days = ranking.frame.days
        assert [len(one.also) for one in fold([replace(price, also=()), risen[1]], days)] == [0, 0]
        assert [len(one.also) for one in fold(risen, days)] == [0, 0]
        assert [len(one.also) for one in fold([risen[0], prices], days)] == [1]
        assert [len(one.also) for one in fold([prices, risen[0]], days)] == [0, 0]
        assert [len(one.also) for one in fold([risen[1], risen[0]], days)] == [1]


def test_pages_say_what_is_told_together(signed: TestClient, engine: sa.Engine) -> None:
    fill(engine)
    days = "from=2026-09-01&to=2026-09-30"
    home = signed.get(f"/?{days}").text
    assert f"Also seen as Theme Prices {SAID}" in shown(home)
    assert "1 insight" in shown(home)
    assert f"Also seen as Theme Prices {SAID}" in shown(signed.get(f"/insights/objection/price?{days}").text)
    theme = shown(signed.get(f"/insights/theme/prices?{days}").text)
    assert f"Told with Objection Price {SAID}" in theme
    assert "Rank 1" in theme
    french = shown(signed.get(f"/insights/theme/prices?{days}", headers={"Accept-Language": "fr"}).text)
    assert "Présenté avec Objection Prix 4 de ses 5 passages contiennent cette objection" in french


def test_exports_reports_and_digests_say_it(client: TestClient, engine: sa.Engine, settings: Settings) -> None:
    fill(engine)
    answer = client.get("/v1/exports/insights", params=SEPTEMBER | {"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["Also seen as"] for row in rows] == [f"Prices: {SAID}"]
    period = month_period("2026-09")
    subscription = SubscriptionTable(language="fr", filters={})
    with read_session(engine) as session:
        message = compose(session, subscription, MessageKind.DIGEST, period, settings, unsubscribe_url="x")
        content = build_content(session, "2026-09", NOW, read_ledger(session, period))
    assert len(message.entries) == 1
    told = "Vu aussi comme thème « Prices » : 4 de ses 5 passages contiennent cette objection"
    assert shown(message.entries[0].reasons[-1]) == told
    assert [(i.id, [also.id for also in i.also]) for i in content.insights] == [("price", ["prices"])]
    assert [(t.id, t.rank) for t in content.themes] == [("prices", 1)], "it has the place of what it is told with"
    stamp: dict[str, Any] = {"created_at": NOW, "created_by": "test", "reason": None, "sha256": "", "erased": 0}
    edition = Edition(month="2026-09", edition=1, differences=[], **stamp)
    section = next(s for s in outline(content, edition, ReportLanguage.EN).sections if s.key == "insights")
    assert section.lines == [f"1. Price, also seen as theme “Prices”: {SAID}."]


def test_no_figure_is_told_where_there_is_a_threshold(engine: sa.Engine) -> None:
    fill(engine)
    few = engine.execution_options(**{OPTION: Thresholds(accounts=3, authors=1)})
    with read_session(few) as session:
        ranking = rank_insights(session, Filters.model_validate(SEPTEMBER))
        (also,) = also_seen(session, ranking.items)[About.OBJECTION, "price"]
    assert (also.shared, also.of, also.text.en) == (None, None, "most of its passages hold this objection")


def test_filters_fold_what_they_leave(client: TestClient, engine: sa.Engine) -> None:
    fill(engine)
    one = client.get("/v1/insights", params=SEPTEMBER | {"account": "a0"}).json()["items"]
    assert sorted((i["id"], len(i["also"])) for i in one) == [("price", 0), ("prices", 0)]

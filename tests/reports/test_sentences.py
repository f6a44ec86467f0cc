"""Each number in each sentence of a report is counted again from the frozen data, in both languages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from service.database import read_session
from service.reports.content import build_content, month_period
from service.reports.ledger import read_ledger
from service.reports.schemas import ReportContent
from service.reports.sentences import summary
from tests.bench.seed import seed

NOW = datetime(2026, 10, 2, 6, tzinfo=UTC)
Frozen = dict[str, Any]
Numbers = list[float]


def numbers(text: str) -> Numbers:
    """Return the numbers of a sentence in order; those in names (in quotes, or after "is" and "est") are none."""
    bare = re.sub(r"[“«].*?[”»]|Rival \d+|(of|d['e] ?)\w* ?\w+ 20\d\d", "", text)
    return [float(re.sub(r"\D", "", found)) for found in re.findall(r"\d[\d,\u202f]*", bare)]


def whole(of: Frozen) -> list[Frozen]:
    return [*of["objections"], *of["competitors"], *of["themes"]]


def first_three(items: list[Frozen]) -> Numbers:
    said = [n for item in items[:3] for n in (item["notes"], item["trend"]["previous"])]
    named = [float(n) for n in said if n is not None]
    return [*named, *([float(len(items) - 3)] if len(items) > 3 else [])]


def moved(of: Frozen, *directions: str) -> Numbers:
    return first_three([i for i in whole(of) if i["trend"]["significant"] and i["trend"]["direction"] in directions])


def volume(of: Frozen) -> Numbers:
    coverage = of["coverage"]
    teams = [part for part in coverage["teams"] if part["name"] and part["notes"]]
    before = sum(part["before"] for part in coverage["sources"])
    return [coverage["read"], coverage["accounts"], coverage["authors"], len(teams), before]


def first(of: Frozen) -> Numbers:
    top = min(of["insights"], key=lambda insight: insight["rank"])
    rank = [top["rank_before"]] if top["rank_before"] else []
    return [top["accounts"], top["notes"], top["trend"]["previous"], *rank]


def natures(of: Frozen) -> Numbers:
    kinds = [theme["nature"] for theme in of["themes"] if theme["notes"]]
    early = kinds.count("too_early")
    return [kinds.count("structural"), kinds.count("conjunctural"), *([early] if early else [])]


def competitor(of: Frozen) -> Numbers:
    top = max(of["competitors"], key=lambda c: c["accounts"])
    ahead, behind = top["standings"]["ahead"], top["standings"]["behind"]
    return [top["accounts"], *([ahead, behind] if ahead or behind else [])]


def deals(of: Frozen) -> Numbers:
    worse = [i["outcomes"] for i in of["insights"] if i["outcomes"]["enough_data"] and i["outcomes"]["difference"]]
    wins = next(w for w in worse if w["difference"][1] < 0)
    closed = wins["won"] + wins["lost"]
    return [round(100 * wins["won"] / closed), closed, round(100 * wins["win_rate_without"])]


def reading(of: Frozen) -> Numbers:
    coverage = of["coverage"]
    share = [round(100 * coverage["unassigned"] / coverage["passages"])] if coverage["unassigned"] else []
    return [*share, *([coverage["failed"]] if coverage["failed"] else [])]


def lived(life: str) -> Callable[[Frozen], Numbers]:
    return lambda of: first_three([theme for theme in of["themes"] if theme["lifecycle"] == life])


SENTENCES: dict[tuple[str, str], Callable[[Frozen], Numbers]] = {
    ("the month before had", "le mois précédent en comptait"): volume,
    ("What matters most", "En tête vient"): first,
    ("Rising beyond chance", "En hausse, au-delà du hasard"): lambda of: moved(of, "new", "rising"),
    ("Nothing rose", "Aucune hausse"): lambda of: moved(of, "new", "rising"),
    ("Falling:", "En baisse"): lambda of: moved(of, "falling", "gone"),
    ("Emerging themes", "Thèmes émergents"): lived("emerging"),
    ("Fading themes", "Thèmes qui s'éteignent"): lived("fading"),
    ("Of the themes heard", "Parmi les thèmes entendus"): natures,
    ("The competitor heard at most", "Le concurrent entendu chez le plus"): competitor,
    ("are won less often", "se gagnent moins"): deals,
    ("withheld", "retenus"): lambda of: [of["withheld"]],
    ("theme", "thème"): reading,
}


def check(content: ReportContent) -> set[str]:
    """Compare all sentences with the data; return which there were, by their first mark."""
    of = json.loads(content.model_copy(update={"summary": []}).model_dump_json())
    seen = set()
    for statement in summary(content):
        marks = next(m for m in SENTENCES if m[0] in statement.text.en)
        expected = SENTENCES[marks](of)
        assert marks[1] in statement.text.fr, statement.text.fr
        assert numbers(statement.text.en) == expected, statement.text.en
        assert numbers(statement.text.fr) == expected, statement.text.fr
        seen.add(marks[0])
    return seen


def built(engine: sa.Engine) -> ReportContent:
    with read_session(engine) as session:
        return build_content(session, "2026-09", NOW, read_ledger(session, month_period("2026-09")))


@pytest.fixture
def content(engine: sa.Engine) -> ReportContent:
    """A busy month."""
    seed(engine, 2_000, days=90)
    return built(engine)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_numbers_in_sentences_are_those_of_the_frozen_data(content: ReportContent) -> None:
    assert check(content) >= {"the month before had", "What matters most", "The competitor heard at most", "theme"}
    document = content.model_dump()
    for place, item in enumerate([*document["objections"], *document["themes"]]):
        up = place % 3
        item["trend"] |= {"significant": up < 2, "direction": ("rising", "falling", "steady")[up], "previous": 1_234}
        item["notes"] = 5_678 + place
    for place, theme in enumerate(document["themes"]):
        theme["lifecycle"] = ("emerging", "fading", "established")[place % 3]
        theme["nature"] = ("structural", "conjunctural", "too_early")[place % 2]
    document["competitors"][0]["standings"] = {"ahead": 1, "behind": 2_001, "neutral": 3}
    document["themes"][0]["trend"]["previous"] = None
    document["withheld"] = 1_002
    document["coverage"] |= {"failed": 1, "unassigned": 0, "silent_teams": ["west"]}
    worse = {"won": 2, "lost": 6, "win_rate": 0.25, "win_rate_without": 0.616, "enough_data": True}
    document["insights"][0]["outcomes"] |= {**worse, "difference": (-0.5, -0.1)}
    busy = ReportContent.model_validate(document)
    assert check(busy) == {mark for mark, _ in SENTENCES} - {"Nothing rose"}
    told = [statement.text for statement in summary(busy)]
    assert "1 note n'a pas pu être lue" in told[-1].fr
    assert any("2\u202f001 fois" in text.fr and "2,001 times" in text.en for text in told)


@pytest.mark.parametrize(("notes", "said"), [(0, "aucune note de"), (1, "1 note de"), (1_200, "1\u202f200 notes de")])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_silent_month_says_so(engine: sa.Engine, notes: int, said: str) -> None:
    empty = built(engine)
    empty.coverage.notes = notes
    (statement,) = summary(empty)
    assert (said in statement.text.fr, statement.figures) == (True, {"notes": notes, "read": 0})
    assert numbers(statement.text.en) == numbers(statement.text.fr) == ([notes] if notes else [])

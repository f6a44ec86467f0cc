"""The shapes of the charts: the period before beside the period, and points ahead and behind."""

from __future__ import annotations

from datetime import date

from models.types import Standing
from service.competitors.schemas import PointOutput
from service.insights.evidence import Point
from service.insights.measures import About
from service.insights.schemas import EXAMPLE_QUOTE, Label, QuoteOutput
from service.insights.statistics import Direction
from service.jobs.queries import JobKind
from service.pages.charts import balances, bars, voices
from service.pages.strings import STRINGS


def week(notes: int) -> Point:
    return Point("2026-W36", date(2026, 9, 1), notes, notes, notes)


def test_the_period_before_stands_to_the_left_on_the_same_scale() -> None:
    chart = bars([week(4), week(0)], [week(8)])
    assert [(bar.before, bar.height) for bar in chart.bars] == [(True, 100.0), (False, 50.0), (False, 3.0)]
    assert [bar.x for bar in chart.bars] == [1, 19, 29]
    assert (chart.width, chart.top, chart.values, chart.values_before) == (38, 8, "4, 0", "8")
    assert bars([week(1)]).values_before == ""
    assert bars([]).width == 10


def point(name: str, ahead: int, behind: int, *notes: str) -> PointOutput:
    quotes = [QuoteOutput.model_validate({**EXAMPLE_QUOTE, "note_id": note}) for note in notes]
    return PointOutput(
        about=About.THEME,
        id=name,
        title=Label(en=name, fr=name),
        accounts=2,
        notes={Standing.AHEAD: ahead, Standing.BEHIND: behind, Standing.NEUTRAL: 1},
        previous=0,
        direction=Direction.STEADY,
        quotes={Standing.AHEAD: quotes, Standing.BEHIND: quotes, Standing.NEUTRAL: []},
    )


def test_points_go_from_where_a_competitor_is_ahead_to_where_it_is_behind() -> None:
    points = [point("behind", 0, 4), point("neither", 0, 0), point("even", 1, 1), point("ahead", 2, 0)]
    assert [(b.point.id, b.behind, b.ahead) for b in balances(points)] == [
        ("ahead", 0.0, 25.0),
        ("even", 12.5, 12.5),
        ("behind", 50.0, 0.0),
    ]
    assert balances([]) == []


def test_each_note_speaks_once_for_the_point_on_which_it_is_clearest() -> None:
    points = [point("less", 2, 0, "1", "2"), point("most", 3, 0, "1"), point("even", 1, 1, "3"), point("no", 0, 2, "4")]
    assert [(p.id, q.note_id) for p, q in voices(points, Standing.AHEAD)] == [("most", "1"), ("less", "2")]
    assert [(p.id, q.note_id) for p, q in voices(points, Standing.BEHIND)] == [("no", "4")]


def test_every_kind_of_long_work_has_its_words() -> None:
    assert {f"job_{kind}" for kind in JobKind} <= STRINGS.keys()

"""The score of an insight: its parts, their limits, and the order."""

from __future__ import annotations

from dataclasses import astuple, replace

import pytest

from service.filters import Outcome
from service.insights.items import Item
from service.insights.measures import About, Counts, Deals, Whole
from service.insights.ranking import Part, RankedItem, rank
from service.insights.statistics import STEADY, Direction, Trend, win_rates
from service.insights.weights import DEFAULT_WEIGHTS, Weights, read_weights
from service.insights.words import sentence

WHOLE = Whole(notes=100, accounts=40, authors=8, deals=Deals({o: {"EUR": 1000.0} for o in Outcome}, won=20, lost=20))


def item(key: str = "price", about: About = About.OBJECTION, **fields: int) -> Item:
    """Return an item heard at four accounts."""
    counts = Counts(**{"mentions": 8, "notes": 6, "accounts": 4, "authors": 3, **fields})
    return Item(about, key, counts, 0.06, STEADY, win_rates(0, 0, 20, 20))


def points(ranked: RankedItem) -> dict[Part, float]:
    return {reason.part: reason.points for reason in ranked.reasons}


def test_the_parts_add_up_to_the_score() -> None:
    counts = replace(item().counts, details={"statuses": {"open": 6, "resolved": 2}})
    counts.deals.add(Outcome.OPEN, "EUR", 250.0, 1)
    rising = Trend(Direction.RISING, 2, 2.0, 0.01, significant=True, at_least=1.5)
    (ranked,) = rank([replace(item(), counts=counts, trend=rising, wins=win_rates(0, 12, 20, 20))], WHOLE)
    assert set(points(ranked)) == {Part.REACH, Part.GROWTH, Part.MONEY, Part.WINNING, Part.SEVERITY}
    assert ranked.score == pytest.approx(sum(r.points for r in ranked.reasons))
    assert points(ranked)[Part.MONEY] == pytest.approx(DEFAULT_WEIGHTS.money * 0.5)
    assert points(ranked)[Part.SEVERITY] == pytest.approx(DEFAULT_WEIGHTS.severity * 0.4093, abs=0.01)  # of 0.75


def test_the_weights_are_a_hundred_points_and_no_item_has_more() -> None:
    assert sum(astuple(DEFAULT_WEIGHTS)) == 100
    everything = Counts(100, 100, 40, 8, details={"statuses": {"open": 100}})
    everything.deals.add(Outcome.OPEN, "EUR", 1000.0, 9)
    new = Trend(Direction.NEW, 0, None, 0.0, significant=True, at_least=4.0)
    (ranked,) = rank([Item(About.OBJECTION, "x", everything, 1.0, new, win_rates(0, 20, 20, 20))], WHOLE)
    assert 99 < ranked.score <= 100


def test_many_accounts_beat_one_loud_account() -> None:
    loud = item("loud", mentions=60, notes=40, accounts=1, authors=1)
    broad = item("broad", mentions=8, notes=8, accounts=8, authors=5)
    assert [r.item.key for r in rank([loud, broad], WHOLE)] == ["broad", "loud"]


def test_growth_counts_as_far_as_it_is_sure() -> None:
    unsure, half_more, doubled, more = (
        replace(item(), trend=Trend(Direction.STEADY, 3, 3.0, 0.2, significant=False, at_least=least))
        for least in (1.0, 1.5, 2.0, 9.0)
    )
    assert Part.GROWTH not in points(rank([unsure], WHOLE)[0])
    assert 0 < points(rank([half_more], WHOLE)[0])[Part.GROWTH] < DEFAULT_WEIGHTS.growth
    for sure in (doubled, more):
        assert points(rank([sure], WHOLE)[0])[Part.GROWTH] == DEFAULT_WEIGHTS.growth


def test_only_a_significant_rise_is_called_rising() -> None:
    for significant, word in ((True, "Rising"), (False, "More than before")):
        trend = Trend(Direction.RISING if significant else Direction.STEADY, 2, 2.0, 0.01, significant, at_least=1.2)
        (ranked,) = rank([replace(item(), trend=trend)], WHOLE)
        (said,) = [sentence(About.OBJECTION, r).en for r in ranked.reasons if r.part is Part.GROWTH]
        assert said == f"{word}: 6 notes, 2 in the period before"


def test_novelty_counts_only_where_it_is_sure() -> None:
    for trend, new in (
        (Trend(Direction.STEADY, 0, None, 0.1, significant=False, at_least=1.1), True),
        (Trend(Direction.STEADY, 0, None, 0.5, significant=False), False),
        (Trend(Direction.RISING, 1, 8.0, 0.01, significant=True, at_least=2.0), False),
    ):
        assert (Part.NOVELTY in points(rank([replace(item(), trend=trend)], WHOLE)[0])) is new


def test_what_is_gone_is_not_ranked() -> None:
    assert rank([item(mentions=0, notes=0, accounts=0, authors=0)], WHOLE) == []


def test_equal_scores_are_ordered_by_kind_and_key_whatever_the_input() -> None:
    items = [item("b"), item("a"), item("c", About.COMPETITOR)]
    expected = [("competitor", "c"), ("objection", "a"), ("objection", "b")]
    for order in (items, items[::-1]):
        assert [(r.item.about, r.item.key) for r in rank(order, WHOLE)] == expected


def test_weights_can_be_changed() -> None:
    (ranked,) = rank([item()], WHOLE, Weights(reach=100, growth=0, money=0, winning=0, severity=0, novelty=0))
    assert list(points(ranked)) == [Part.REACH]


def test_weights_are_read_and_scaled_to_a_hundred() -> None:
    assert read_weights("") == DEFAULT_WEIGHTS
    read = read_weights("reach=70, growth = 50,money=24,winning=16,severity=20,novelty=20")
    assert read == DEFAULT_WEIGHTS
    assert astuple(read_weights("reach=0,growth=0,money=0,winning=0,severity=0")) == (0, 0, 0, 0, 0, 100)


@pytest.mark.parametrize(
    "wrong", ["reech=1", "reach=-1", "reach=101", "reach=", "reach=nan", "reach=1,reach=2", "reach"]
)
def test_wrong_weights_are_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="."):  # noqa: RUF043
        read_weights(wrong)


def test_one_deal_in_a_rare_currency_weighs_no_more_than_one_deal() -> None:
    deals = Deals(won=0, lost=0)
    deals.add(Outcome.OPEN, "EUR", 99_000.0, 99)
    deals.add(Outcome.OPEN, "CHF", 1_000.0, 1)
    whole = replace(WHOLE, deals=deals)
    rare, common = item("rare"), item("common")
    rare.counts.deals.add(Outcome.OPEN, "CHF", 1_000.0, 1)
    common.counts.deals.add(Outcome.OPEN, "EUR", 9_900.0, 9)
    common.counts.deals.add(Outcome.OPEN, "CHF", 1_000.0, 1)
    ranked = {r.item.key: r for r in rank([rare, common], whole)}
    assert points(ranked["rare"])[Part.MONEY] == pytest.approx(1.2)  # a hundredth, by its square root
    (said,) = [sentence(About.OBJECTION, r) for r in ranked["common"].reasons if r.part is Part.MONEY]
    assert said.en == "Touches 9,900 EUR and 1,000 CHF of open deals"
    assert said.fr == "Concerne 9\u202f900 EUR et 1\u202f000 CHF d'affaires en cours"


def test_a_single_unanswered_mention_is_not_severe() -> None:
    one, many = (
        replace(item(str(n)), counts=replace(item().counts, mentions=n, details={"statuses": {"open": n}}))
        for n in (1, 30)
    )
    once, often = (points(rank([i], WHOLE)[0])[Part.SEVERITY] for i in (one, many))
    assert once < DEFAULT_WEIGHTS.severity / 4 < DEFAULT_WEIGHTS.severity * 0.8 < often


def test_every_reason_is_said_in_both_languages() -> None:
    counts = Counts(1, 1, 1, 1, details={"statuses": {"open": 1}})
    counts.deals.add(Outcome.OPEN, "EUR", 1000.0, 1)
    new = Trend(Direction.NEW, 0, None, 0.0, significant=True, at_least=4.0)
    (ranked,) = rank([Item(About.OBJECTION, "x", counts, 1.0, new, win_rates(0, 20, 20, 20))], WHOLE)
    said = {r.part: sentence(About.OBJECTION, r) for r in ranked.reasons}
    assert set(said) == set(Part)
    assert said[Part.REACH].en == "Heard at 1 account of 40, by 1 rep, in 1 note"
    assert said[Part.REACH].fr == "Entendu chez 1 compte sur 40, par 1 commercial, dans 1 note"
    assert (
        said[Part.WINNING].en
        == "Won 0% of 20 closed deals, 100% without it: 77 to 100 points less, with 95% confidence"
    )
    assert said[Part.MONEY].fr == "Concerne 1\u202f000 EUR d'affaires en cours"

"""The measures of themes on made groups: what is one, what is torn, what is left out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from models.types import FittedTheme, Language, ThemeFit, ThemeMatch, ThemePassage
from training.theme_bench import agreement, between_fits, both_languages, kept, steadiness
from training.theme_workspaces import Workspace

GOLD = ["hosting", "hosting", "price", "price"]


def places(n: int = len(GOLD)) -> list[tuple[str, int | None]]:
    return [(GOLD[i], i) for i in range(n)]


@pytest.mark.parametrize(
    ("keys", "f1", "v_measure", "ami", "purity", "left_out"),
    [
        (["a", "a", "b", "b"], 1, 1, 1, 1, 0),
        (["a", "a", "a", "a"], 2 / 3, 0, 0, 0.5, 0),
        (["a", "b", "c", "d"], 2 / 3, 2 / 3, 0, 1, 0),
        (["a", "a", None, None], 6 / 7, 4 / 5, 4 / 7, 1, 0.5),
    ],
)
def test_groups_are_compared_with_gold_themes(
    keys: Sequence[str | None], f1: float, v_measure: float, ami: float, purity: float, left_out: float
) -> None:
    expected = {"bcubed_f1": f1, "v_measure": v_measure, "ami": ami, "purity": purity, "left_out": left_out}
    assert agreement(places(), list(keys)) == pytest.approx(expected, abs=1e-9)


def test_a_gold_passage_that_was_not_found_is_left_out() -> None:
    found = agreement([*places(3), ("price", None)], ["a", "a", "b"])
    assert found["left_out"] == 0.25


def test_a_theme_is_kept_where_most_of_its_passages_stand_under_its_key() -> None:
    earlier = ["a", "a", "a", "b", "b", None]
    assert kept(earlier, ["a", "a", "b", "c", "c", "a", "b"]) == 0.5
    assert kept([None], ["a"]) is None


def test_a_theme_is_in_both_languages_from_a_fifth_of_its_passages() -> None:
    languages = [Language.EN] * 4 + [Language.FR] + [Language.EN] * 5
    passages = [ThemePassage("", language, b"", b"") for language in languages]
    assert both_languages(passages, ["a"] * 5 + ["b"] * 5) == 0.5


def test_steadiness_is_that_of_passages_with_a_theme_in_both_fits() -> None:
    same = steadiness([["a", "a", "b", "b", None], ["a", "a", "b", "b", "a", "b"]])
    assert same == {"kept": 1, "mutual_information": pytest.approx(1)}
    renumbered = steadiness([["a", "a", "b", "b"], ["x", "x", "y", "y"]])
    assert renumbered == {"kept": 0, "mutual_information": pytest.approx(1)}


def test_later_passages_are_right_where_earlier_ones_of_their_theme_are_of_the_same_gold_theme(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    themes = (FittedTheme(None, {}, {}, b"a", 3), FittedTheme(None, {}, {}, b"b", 2))
    monkeypatch.setattr(
        "training.theme_bench.fit", lambda passages, living: ThemeFit("", themes, (0, 0, 1, 1, 0, None))
    )
    given = [ThemeMatch("0", 0.5), None, ThemeMatch("1", 0.5), ThemeMatch("1", 0.5)]
    monkeypatch.setattr("training.theme_bench.assign", lambda vectors, living: given)
    passages = [ThemePassage("", Language.EN, b"", b"")] * 10
    gold = ["hosting", "hosting", "price", "price", "price", "price", "hosting", "price", "hosting", "price"]
    workspace = Workspace("any", passages, [*zip(gold, range(10), strict=True), ("price", None)])
    assert between_fits(workspace) == {"later": 4, "later_left_out": 0.25, "later_precision": pytest.approx(2 / 3)}

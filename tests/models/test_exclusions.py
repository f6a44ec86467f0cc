"""Names that are also ordinary words, persons or days, where they plainly are that."""

from __future__ import annotations

import pytest

from models.exclusions import in_plain_sense


def plain(marked: str) -> bool:
    start, end = marked.index("["), marked.index("]") - 1
    return in_plain_sense(marked.replace("[", "").replace("]", ""), start, end)


@pytest.mark.parametrize(
    "marked",
    [
        "back on [Monday]",
        "by [monday] please",
        "[Monday] morning suits them",
        "le [mardi] 4",
        "rdv avec M. [Carl]",
        "son neveu [Eliot] peut venir",
        "le nouveau s'appelle [Éliot]",
        "[Carl], 23 ans, nous guide",
        "[Carl] (leur apprenti) saisit",
        "Hi [Grace],",
    ],
)
def test_plain_senses(marked: str) -> None:
    assert plain(marked)


@pytest.mark.parametrize(
    "marked",
    [
        "they use [Monday] for tasks",
        "un devis de [Monday]",
        "ils ont [Carl] à Lyon",
        "lost to [Carl]",
        "[Grace] quoted less",
        "chez [Eliot]",
    ],
)
def test_names(marked: str) -> None:
    assert not plain(marked)

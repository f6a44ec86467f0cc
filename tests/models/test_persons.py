"""Texts that may name a person are not shown outside; in doubt they are not."""

from __future__ import annotations

import pytest

from models.persons import is_person, may_name_person, name_words


@pytest.mark.parametrize(
    "text",
    [
        "Simon was given two questions to answer.",
        "He was told by simon that it is too dear.",
        "We met Mrs Verdier on Monday.",
        "Vu M. Lefèvre hier.",
        "The buyer, Marchetti, wants a discount.",
        "Write to buyer@firm.com about it.",
        "Call back on 06 12 34 56 78.",
        "Le prix effraie Jean-Pierre.",
        "Verdier finds it too expensive.",
        "Selon Maître Falque, Orbiport est trop cher.",
        "Répondu par Orsini, du cabinet Orsini & Falque.",
    ],
)
def test_names(text: str) -> None:
    assert may_name_person(text, ["Orsini & Falque", "Orbiport"])


@pytest.mark.parametrize(
    "text",
    [
        "They find it 20% above the other quote.",
        "Ils trouvent Orbiport moins cher. Le budget est gelé jusqu'en mars.",
        "« Trop cher » : l'acheteur préfère Orbiport Access.",
        "The CTO asks for SSO before Monday, in Paris.",
        "He told me that the fault was ours.",
        "Our price at Harrow Foods is too high.",
    ],
)
def test_no_names(text: str) -> None:
    assert not may_name_person(text, ["Orbiport", "Orbiport Access", "Harrow Foods"])


@pytest.mark.parametrize(
    "text",
    ["Call Simon back", "write to a.b@firm.com", "ring 06 12 34 56 78", "Mme Durand refuse", "they asked vasseur"],
)
def test_known_persons_and_ways_to_reach_one_are_told(text: str) -> None:
    assert may_name_person(text, persons=name_words(["Inès Vasseur", None]))


def test_the_name_of_a_firm_is_no_persons() -> None:
    assert is_person("Simon Orbel")
    assert is_person("Vasseur", name_words(["Inès Vasseur"]))
    assert not is_person("Orbiport")

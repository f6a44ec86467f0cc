"""Texts that may name a person are not shown outside; in doubt they are not."""

from __future__ import annotations

import pytest

from models.persons import may_name_person


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

"""What is taken for small talk, and what is not."""

from __future__ import annotations

import numpy as np
import pytest

from models.analyzer import NoteReader
from models.small_talk import SmallTalk, load_small_talk
from models.theme_space import load_theme_encoder
from models.themes import ARTEFACTS
from models.types import THEME_DIMS, Catalog, NoteText

SMALL = (
    "Thank you for the warm welcome and have a lovely weekend.",
    "Hello, hope you are all well after the holidays.",
    "Merci pour votre accueil et bonne fin de semaine à tous.",
    "Bonjour, j'espère que vous allez bien depuis la dernière fois.",
)
SAYING = (
    "The engineer was promised for Thursday and nobody came.",
    "They find the yearly fee too high beside what they pay today.",
    "Le rendez-vous de maintenance a été manqué deux fois ce mois-ci.",
    "Ils trouvent l'abonnement trop cher et comparent avec un autre fournisseur.",
)


def test_courtesies_are_small_talk_and_complaints_worded_alike_are_not() -> None:
    told = load_small_talk(ARTEFACTS / "small_talk").tell(load_theme_encoder(ARTEFACTS).encode([*SMALL, *SAYING]))
    assert told.tolist() == [True] * len(SMALL) + [False] * len(SAYING)


def test_what_lies_nowhere_is_no_small_talk() -> None:
    small_talk = SmallTalk(np.ones(THEME_DIMS, dtype=np.float32), -1.0)
    assert small_talk.tell(np.zeros((1, THEME_DIMS), dtype=np.float32)).tolist() == [False]
    assert small_talk.tell(np.zeros((0, THEME_DIMS), dtype=np.float32)).tolist() == []


@pytest.mark.parametrize("small", SMALL)
def test_a_note_of_small_talk_has_no_passage_but_for_what_else_it_says(real_analyzer: NoteReader, small: str) -> None:
    alone, with_matter = real_analyzer.analyze([NoteText(small), NoteText(f"{small}\n\n{SAYING[1]}")], Catalog())
    assert alone.passages == ()
    (passage,) = with_matter.passages
    assert passage.start > len(small)

"""Kinds of names: read off made-up logits, and from the shipped heads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.name_kinds import KINDS, N_COLUMNS, NameKind, NameKinds
from models.tagger import Tagger, load_tagger

ARTEFACTS = Path(__file__).parents[2] / "models" / "artefacts"


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return load_tagger(ARTEFACTS / "tagger", ARTEFACTS / "names")


def read(offsets: list[tuple[int, int]], kinds: list[int]) -> NameKinds:
    """Make up a reading that is sure of each piece: 0 no name, else 1 + 2 * kind, plus 1 where a name goes on."""
    logits: NDArray[np.float32] = np.zeros((len(offsets), N_COLUMNS), dtype=np.float32)
    for row, kind in zip(logits, kinds, strict=True):
        row[kind] = 9
    return NameKinds(np.array(offsets), logits)


def test_pieces_of_one_kind_make_one_name() -> None:
    person = 1 + 2 * KINDS.index(NameKind.PERSON)
    read_as = read([(0, 4), (5, 8), (8, 10), (11, 15)], [person, person + 1, person + 1, 0])
    (name,) = read_as.names("Jude Lowry came")
    assert (name.start, name.end, name.kind) == (0, 10, NameKind.PERSON)
    assert 0.9 < name.score <= 1


def test_a_name_ends_where_another_begins() -> None:
    place, firm = 1 + 2 * KINDS.index(NameKind.PLACE), 1 + 2 * KINDS.index(NameKind.ORGANISATION)
    read_as = read([(0, 3), (4, 7), (8, 12)], [place, place, firm])
    found = [(n.start, n.end, n.kind) for n in read_as.names("Ayr Ely Onyx")]
    assert found == [(0, 3, NameKind.PLACE), (4, 7, NameKind.PLACE), (8, 12, NameKind.ORGANISATION)]


def test_what_was_not_read_holds_no_name() -> None:
    nothing = NameKinds.unread()
    assert nothing.chances(0, 5).tolist() == [1, 0, 0, 0, 0]
    assert list(nothing.names("Jude Lowry")) == []


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("I met Judith Hargreaves on the second floor and she wants a discount.", "Judith Hargreaves"),
        ("Appel avec Sandrine Lefèvre : le budget est gelé jusqu'en juin.", "Sandrine Lefèvre"),
    ],
)
def test_persons_are_found_in_both_languages(tagger: Tagger, text: str, person: str) -> None:
    persons = [text[n.start : n.end] for n in tagger.tag([text])[0].kinds.names(text) if n.kind is NameKind.PERSON]
    assert persons == [person]


def test_markup_keeps_offsets_into_the_text_as_given(tagger: Tagger) -> None:
    text = "<p>Demo for <b>Judith Hargreaves</b> went well.</p>"
    (name,) = tagger.tag([text])[0].kinds.names(text)
    assert text[name.start : name.end] == "Judith Hargreaves"

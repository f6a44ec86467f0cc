"""Names that are also ordinary words, persons or days, where they plainly are that."""

from __future__ import annotations

import numpy as np
import pytest

from models.exclusions import OtherNames, in_plain_sense
from models.lexicon import Lexicon
from models.name_kinds import KINDS, NameKind, NameKinds


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


def kinds_of(text: str, name: str, kind: NameKind, chance: float) -> NameKinds:
    """Make up a reading of `text` in which `name` is one piece, of a kind with this chance."""
    logits = np.full((1, 1 + 2 * len(KINDS)), -20, dtype=np.float32)
    logits[0, 0], logits[0, 1 + 2 * KINDS.index(kind)] = np.log(1 - chance), np.log(chance)
    return NameKinds(np.array([(text.index(name), text.index(name) + len(name))]), logits)


@pytest.mark.parametrize(
    ("marked", "kind", "chance", "held"),
    [
        ("Their plant in [Tarnstead] moves in May.", NameKind.PLACE, 0.9, True),
        ("L'atelier déménage à [Rouvelay] en mai.", NameKind.PLACE, 0.9, True),
        ("Nous sommes face à [Rouvelay] en mai.", NameKind.PLACE, 0.9, False),
        ("Their buyer likes [Tarnstead] better.", NameKind.PLACE, 0.9, False),
        ("On Tuesday [Wendeline] rang again.", NameKind.PERSON, 0.5, True),
        ("On Tuesday [Wendeline] rang again.", NameKind.PERSON, 0.7, False),
        ("On Tuesday [Wendeline] rang again.", NameKind.ORGANISATION, 0.5, False),
        ("The Lab keeps two [sequencers] in the Hall.", NameKind.PRODUCT, 0.7, True),
        ("The Lab keeps two [sequencers] in the Hall.", NameKind.PRODUCT, 0.8, False),
    ],
)
def test_unlisted_names_that_are_something_else_are_held(
    marked: str, kind: NameKind, chance: float, held: bool, lexicon: Lexicon
) -> None:
    start, end, text = marked.index("["), marked.index("]") - 1, marked.replace("[", "").replace("]", "")
    others = OtherNames(text, lexicon, kinds_of(text, text[start:end], kind, 0.95), [], cased=True)
    assert others.hold(start, end, chance) is held


def test_small_letters_say_nothing_where_the_writer_has_no_capitals(lexicon: Lexicon) -> None:
    text = "two sequencers in the hall"
    others = OtherNames(text, lexicon, kinds_of(text, "sequencers", NameKind.PRODUCT, 0.95), [], cased=False)
    assert not others.hold(4, 14, 0.3)


@pytest.mark.parametrize(
    ("marked", "chance", "held"),
    [
        ("Ready by [XMAS], they say.", 0.9, True),  # an abbreviation
        ("Lu avec eux, [RGPD] compris.", 0.9, True),
        ("Three visits.\n[Canteen] closes at two.", 0.7, True),  # an ordinary word that opens a sentence
        ("Three visits. Prices agreed. [Canteen], gym and laundry wait.", 0.7, True),
        ("Three visits.\n[Canteen] closes at two.", 0.8, False),
        ("They have Canteen.\n[Canteen] closes at two.", 0.7, False),  # a name elsewhere
        ("Who else? [Canteen]. I see.", 0.7, False),  # an answer
        ("Competition: [Canteen] at the lower end", 0.7, False),  # a field's value
        ("Seen this week.\n- [Barrow Mills]: new director", 0.5, True),  # a customer heads its line
        ("Tue: [Barrow Mills] - new director", 0.5, True),
        ("mardi : [Barrow Mills], nouveau directeur", 0.5, True),
        ("Seen this week.\n- [Barrow Mills] quoted us down", 0.7, False),
        ("They have [Barrow Mills] today", 0.5, False),
    ],
)
def test_abbreviations_openings_and_heads_of_lines(marked: str, chance: float, held: bool, lexicon: Lexicon) -> None:
    start, end = marked.index("["), marked.index("]") - 1
    text = marked.replace("[", "").replace("]", "")
    others = OtherNames(text, lexicon, kinds_of(text, text[start:end], NameKind.ORGANISATION, 0.95), [], cased=True)
    assert others.hold(start, end, chance) is held

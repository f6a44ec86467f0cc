"""Names of themes: which phrases of passages may be one, which is best, and how it goes with a subject."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from models.lexicon import load_lexicon
from models.theme_labels import Encode, OwnPhrase, keywords_of, name_by_phrase, name_themes, rank_phrases
from models.theme_phrases import PhraseBook, read_phrases
from models.theme_subjects import SubjectGuess
from models.themes import ARTEFACTS
from models.types import Language
from models.word_classes import load_word_classes

PRICES = {"en": "Prices", "fr": "Prix"}
HOSTING = {"en": "Data hosting", "fr": "Hébergement des données"}


def read(texts: Sequence[str], language: Language = Language.EN) -> PhraseBook:
    classes = load_word_classes(ARTEFACTS / "classes")[language]
    return read_phrases(texts, language, classes, load_lexicon(ARTEFACTS / "lexicon"))


def forms(text: str, language: Language) -> set[str]:
    return set(read([text], language).forms.values())


@pytest.mark.parametrize(
    ("language", "text", "there", "not_there"),
    [
        (
            Language.EN,
            "She said the badge reader at the gate fails every morning.",
            {"badge reader", "gate"},
            {"reader fails", "badge", "morning", "gate fails"},
        ),
        (Language.EN, "They want a shorter length of contract.", {"length of contract", "contract"}, {"length of"}),
        (Language.EN, "A three-year term and two weeks of testing", {"term"}, {"three-year term", "weeks of testing"}),
        (Language.EN, "The lead time is too long for the new phone.", {"lead time", "phone"}, {"time", "new phone"}),
        (
            Language.FR,
            "Il a répondu que les délais de livraison des lecteurs sont trop longs.",
            {"délais de livraison", "livraison des lecteurs", "délais de livraison des lecteurs"},
            {"délais de", "lecteurs sont"},
        ),
        (
            Language.FR,
            "Un hébergement agréé pour leurs données",
            {"hébergement agréé"},
            {"hébergement", "leurs données"},
        ),
    ],
)
def test_phrases_are_nouns_with_what_tells_which(
    language: Language, text: str, there: set[str], not_there: set[str]
) -> None:
    found = forms(text, language)
    assert there <= found
    assert not (not_there & found)


def test_no_phrase_has_a_name_in_it() -> None:
    texts = [
        "We met Harcourt about the readers.",
        "The Harcourt contract is late.",
        "Kvornik contract, signed by Helen.",
    ]
    assert set(read(texts).forms.values()) <= {"readers", "contract"}
    assert "ERP link" in read(["He asked for an ERP link."]).forms.values()


def test_singular_and_plural_are_one_phrase() -> None:
    book = read(["Badge readers.", "One badge reader.", "The badge readers."])
    assert book.spread["badge reader"] == 3
    assert book.forms["badge reader"] == "badge readers"


def test_empty_passages_have_no_phrases() -> None:
    assert read(["", "..."]).phrases == [frozenset(), frozenset()]
    assert read([]).phrases == []


def encoder(places: dict[str, list[float]]) -> Encode:
    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([places.get(text, [0, 0, 1]) for text in texts], dtype=np.float32)

    return encode


def test_the_phrase_near_its_theme_and_far_from_others_names_it() -> None:
    book = read(["The badge reader is in the server room."] * 3)
    members = [[(place, f"account-{place}") for place in range(3)]] * 2
    near = encoder({"badge reader": [1, 0, 0], "server room": [0, 1, 0]})
    ranked = rank_phrases(book, members, np.eye(2, 3, dtype=np.float32), near)
    assert name_by_phrase(book, ranked, " and ") == [OwnPhrase("badge reader", True), OwnPhrase("server room", True)]


def test_no_two_themes_have_the_same_phrase_and_one_without_any_has_none() -> None:
    book = read(["A long contract.", "Rainy weather."])
    axes = np.tile(np.array([1, 0, 0], dtype=np.float32), (3, 1))
    near = encoder({"contract": [0.4, 0, 0.9]})
    ranked = rank_phrases(book, [[(0, "a")], [(0, "a")], []], axes, near)
    assert name_by_phrase(book, ranked, " and ") == [OwnPhrase("contract", False), None, None]


def test_what_several_accounts_say_names_a_theme_from_further_away() -> None:
    book = read(["A badge reader."] * 2)
    axes, near = np.eye(1, 3, dtype=np.float32), encoder({"badge reader": [0.4, 0, 0.9]})
    one, two = (rank_phrases(book, [[(0, "a"), (1, who)]], axes, near) for who in "ab")
    assert name_by_phrase(book, one, " and ") == [OwnPhrase("badge reader", False)]
    assert name_by_phrase(book, two, " and ") == [OwnPhrase("badge reader", True)]


def test_two_nouns_that_many_use_name_a_theme_that_no_phrase_surely_names() -> None:
    book = read(["The doors and the tablet."] * 3)
    axes, far = np.eye(1, 3, dtype=np.float32), encoder({"doors": [0.2, 0, 0.9], "tablet": [0.1, 0, 0.9]})
    (many, few) = (rank_phrases(book, [list(enumerate(accounts))], axes, far) for accounts in ("abc", "aab"))
    assert name_by_phrase(book, many, " and ") == [OwnPhrase("doors and tablet", False)]
    assert name_by_phrase(book, few, " and ") == [OwnPhrase("doors", False)]


def test_keywords_are_what_several_accounts_say_where_they_can_be() -> None:
    book = read(["A badge reader and a doughnut.", "The reader fails.", "Another badge, another reader."])
    axes, near = np.eye(1, 3, dtype=np.float32), encoder({"reader": [1, 0, 0]})
    (shared,) = rank_phrases(book, [[(0, "a"), (1, "b"), (2, "a")]], axes, near)
    (alone,) = rank_phrases(book, [[(0, "a")]], axes, near)
    assert keywords_of(book, shared) == ["reader"]
    assert keywords_of(book, alone) == ["reader", "doughnut"]


def test_a_theme_is_named_by_its_subject_or_its_family_with_a_phrase_or_its_phrase() -> None:
    guesses = [
        SubjectGuess(PRICES, one=False, sure=True),
        SubjectGuess(HOSTING, one=True, sure=True),
        SubjectGuess({"en": "Calendar", "fr": "Calendrier"}, one=False, sure=False),
        None,
        None,
    ]
    phrases = {
        "en": [OwnPhrase("spare parts", True), OwnPhrase("server room", True), OwnPhrase("holidays", True), None, None],
        "fr": [OwnPhrase("pièces", False), None, OwnPhrase("vacances", False), OwnPhrase("badge perdu", False), None],
    }
    assert name_themes(guesses, phrases) == [
        {"en": "Prices: spare parts", "fr": "Prix"},
        {"en": "Data hosting", "fr": "Hébergement des données"},
        {"en": "Holidays", "fr": "Calendrier"},
        {"en": "Badge perdu", "fr": "Badge perdu"},
        {"en": "Theme 5", "fr": "Thème 5"},
    ]


def test_themes_of_one_subject_are_told_apart_by_their_own_phrases() -> None:
    phrases = {
        "en": [OwnPhrase("spare parts", False), OwnPhrase("licences", False), None, None],
        "fr": [None, OwnPhrase("licences", False), None, None],
    }
    names = name_themes([SubjectGuess(PRICES, one=True, sure=True)] * 4, phrases)
    assert [name["en"] for name in names] == ["Prices: spare parts", "Prices: licences", "Prices", "Prices (4)"]
    assert [name["fr"] for name in names] == ["Prix : spare parts", "Prix : licences", "Prix", "Prix (4)"]

"""Names of themes: which phrases of passages may be one, which is best, and how it goes with a subject."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from models.lexicon import load_lexicon
from models.theme_labels import (
    Encode,
    Heard,
    OwnPhrase,
    Phrase,
    RankedNoun,
    keywords_of,
    name_by_phrase,
    name_themes,
    rank_nouns,
    rank_phrases,
)
from models.theme_nouns import Noun, used_nouns
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


AXES = np.eye(4, dtype=np.float32)


def encoder(places: dict[str, NDArray[np.float32]]) -> Encode:
    """Return an encoder that knows where some texts lie; all others lie together, apart from them."""

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([places.get(text, AXES[3]) for text in texts], dtype=np.float32).reshape(-1, 4)

    return encode


def rank(
    texts: Sequence[str],
    about: Sequence[int],
    places: dict[str, NDArray[np.float32]],
    accounts: Sequence[str] = (),
    language: Language = Language.EN,
) -> list[list[Phrase]]:
    """Rank phrases of the themes that texts are in, where each lies along the axis of its theme."""
    who = accounts or [f"account-{i}" for i in range(len(texts))]
    members = [[i for i, theme in enumerate(about) if theme == number] for number in sorted(set(about))]
    heard = Heard(np.array([AXES[theme] for theme in about]), np.ones(len(texts), dtype=np.float32), who, members)
    inside = [[(i, who[i]) for i in group] for group in members]
    return rank_phrases(read(texts, language), inside, heard, encoder(places))


def names(
    english: list[list[Phrase]],
    french: list[list[Phrase]] | None = None,
    nouns: list[list[RankedNoun]] | None = None,
) -> list[OwnPhrase | None]:
    none: list[list[Phrase]] = [[] for _ in english]
    return name_by_phrase({"en": english, "fr": french or none}, nouns or [[] for _ in english])


def noun(english: str, french: str, share: float, *, accounts: int = 2, sure: bool = False) -> RankedNoun:
    return RankedNoun(Noun({"en": english, "fr": french}), accounts, share, sure, share)


def both(text: str, *, sure: bool) -> OwnPhrase:
    return OwnPhrase({"en": text, "fr": text}, sure)


READER = {text: AXES[0] for text in ("badge reader", "badge", "reader")}


def test_a_phrase_that_most_of_a_theme_is_near_to_names_it_however_the_others_are_worded() -> None:
    texts = ["The badge reader.", "The gate stays shut.", "It fails at night."]
    (phrases,) = rank(texts, [0, 0, 0], READER)
    assert (phrases[0].text, phrases[0].share, phrases[0].sure) == ("badge reader", 1, True)


def test_what_one_vivid_passage_says_names_nothing() -> None:
    vivid = {"sewn bracelet": AXES[0], "bracelet": AXES[0]}  # "sewn" alone is about nothing of the theme
    (phrases,) = rank(["A sewn bracelet.", "The gate.", "The night."], [0, 0, 0], vivid)
    assert not any(phrase.sure for phrase in phrases if phrase.key == "sewn bracelet")
    assert names([phrases]) == [None]  # and a single word of one account does not either


def test_a_phrase_is_sure_of_what_enough_accounts_say() -> None:
    texts = ["The badge reader."] * 3 + ["No."] * 2
    axes = np.array([AXES[0], AXES[0], AXES[0], -AXES[0], -AXES[0]])
    found = []
    for accounts in ("abcde", "aabcd"):
        heard = Heard(axes, np.ones(5, dtype=np.float32), accounts, [list(range(5))])
        (phrases,) = rank_phrases(read(texts), [list(enumerate(accounts))], heard, encoder(READER))
        found.append((phrases[0].share, phrases[0].sure))
    assert found == [(pytest.approx(0.6), True), (pytest.approx(0.6), False)]


def phrase(text: str, axis: int, *, accounts: int = 2, sure: bool = True, score: float = 1.0) -> Phrase:
    return Phrase(text, text, accounts, 1.0, sure, score, AXES[axis])


def test_phrases_of_two_languages_name_a_theme_where_they_mean_the_same() -> None:
    english = [phrase("badge reader", 0), phrase("side gate", 1, score=2.0)]
    french = [phrase("lecteur de badges", 0), phrase("hall d'accueil", 2, score=2.0)]
    assert names([english], [french]) == [OwnPhrase({"en": "badge reader", "fr": "lecteur de badges"}, True)]


@pytest.mark.parametrize(
    "french",
    [
        [],
        [phrase("hall d'accueil", 1)],
        [phrase("lecteur de badges", 0, sure=False)],
        [phrase("lecteur", 0)],
    ],
    ids=["no French", "means something else", "not sure", "a single word"],
)
def test_no_phrase_of_one_language_alone_names_a_theme(french: list[Phrase]) -> None:
    assert names([[phrase("badge reader", 0)]], [french]) == [None]


def test_no_two_themes_have_the_same_noun_and_one_without_any_has_none() -> None:
    nouns = [noun("readers", "lecteurs", 0.9, sure=True), noun("gates", "portails", 0.8, sure=True)]
    expected = [
        OwnPhrase({"en": "readers", "fr": "lecteurs"}, True),
        OwnPhrase({"en": "gates", "fr": "portails"}, True),
        None,
    ]
    assert names([[], [], []], nouns=[nouns, nouns, []]) == expected


@pytest.mark.parametrize(
    ("accounts", "share", "named"),
    [(2, 0.3, True), (1, 0.3, False), (2, 0.1, False)],
    ids=["said by two", "said by one", "hardly near"],
)
def test_a_noun_that_some_of_a_theme_is_near_to_tells_what_it_is_about(
    accounts: int, share: float, named: bool
) -> None:
    found = names([[]], nouns=[[noun("doors", "portes", share, accounts=accounts)]])
    assert found == [OwnPhrase({"en": "doors", "fr": "portes"}, False) if named else None]


def test_nouns_are_counted_in_both_languages() -> None:
    texts = {Language.EN: ["The readers.", "A doughnut."], Language.FR: ["Le lecteur est en panne.", "Rien."]}
    books = {language: read(lines, language) for language, lines in texts.items()}
    used = used_nouns(
        {
            Language.EN: (books[Language.EN], [(0, "a"), (1, "b")]),
            Language.FR: (books[Language.FR], [(0, "c"), (1, "d")]),
        }
    )
    counts = {each.text["en"]: (each.text["fr"], n) for each, n in used}
    assert counts["readers"] == ("lecteurs", 2)
    assert "doughnut" not in counts


def test_a_noun_is_weighed_by_what_it_means_in_both_languages() -> None:
    heard = Heard(AXES[[0, 1, 1]], np.ones(3, dtype=np.float32), "abc", [[0], [1, 2]])
    used = [(Noun({"en": "readers", "fr": "lecteurs"}), 1), (Noun({"en": "gates", "fr": "portails"}), 2)]
    places = {"readers": AXES[0], "lecteurs": AXES[0], "gates": AXES[1], "portails": AXES[1]}
    first, second = rank_nouns([used, used], heard, encoder(places))
    assert [(each.noun.text["en"], each.share) for each in first] == [("readers", 1), ("gates", 0)]
    assert [(each.noun.text["fr"], each.share) for each in second] == [("portails", 1), ("lecteurs", 0)]
    assert rank_nouns([[], []], heard, encoder(places)) == [[], []]


def test_no_phrase_holds_a_word_that_only_the_other_language_has() -> None:
    assert "dashboard" not in read(["Un dashboard et un lecteur."], Language.FR).forms.values()
    assert {"dashboard", "production"} <= {*read(["A dashboard of the production."]).forms.values()}


def test_keywords_are_what_several_accounts_say_where_they_can_be() -> None:
    texts = ["A badge reader and a doughnut.", "The reader fails.", "Another badge, another reader."]
    (shared,) = rank(texts, [0] * 3, {"reader": AXES[0]}, ["a", "b", "a"])
    (alone,) = rank(texts[:1], [0], {"reader": AXES[0]})
    assert keywords_of(shared) == ["reader"]
    assert keywords_of(alone)[0] == "reader"
    assert "doughnut" in keywords_of(alone)


def test_a_theme_is_named_by_its_subject_or_its_family_with_a_phrase_or_its_phrase() -> None:
    leaning = SubjectGuess({"en": "Calendar", "fr": "Calendrier"}, one=False, sure=False)
    cases = [
        (SubjectGuess(PRICES, one=False, sure=True), both("spare parts", sure=True), "Prices: spare parts"),
        (SubjectGuess(PRICES, one=False, sure=True), None, "Prices (2)"),
        (SubjectGuess(HOSTING, one=True, sure=True), both("server room", sure=True), "Data hosting"),
        (leaning, both("school holidays", sure=True), "School holidays"),
        (leaning, both("holidays", sure=True), "Calendar: holidays"),
        (leaning, both("works", sure=False), "Calendar: works"),
        (leaning, both("calendar", sure=False), "Calendar"),
        (None, both("badge", sure=True), "Badge"),
        (None, both("doors", sure=False), "Doors"),
        (None, None, "Various remarks"),
        (None, None, "Various remarks (2)"),
    ]
    named = name_themes([guess for guess, _, _ in cases], [own for _, own, _ in cases])
    expected = [name for _, _, name in cases]
    expected[1] = "Prices"
    assert [name["en"] for name in named] == expected
    assert [name["fr"] for name in named[:4]] == [
        "Prix : spare parts",
        "Prix",
        "Hébergement des données",
        "School holidays",
    ]


def test_themes_of_one_subject_are_told_apart_by_their_own_phrases() -> None:
    own = [both("spare parts", sure=False), both("licences", sure=False), None, None]
    named = name_themes([SubjectGuess(PRICES, one=True, sure=True)] * 4, own)
    assert [name["en"] for name in named] == ["Prices: spare parts", "Prices: licences", "Prices", "Prices (2)"]
    assert [name["fr"] for name in named] == ["Prix : spare parts", "Prix : licences", "Prix", "Prix (2)"]


def test_no_two_themes_have_the_same_noun_where_none_is_sure_either() -> None:
    doors = noun("doors", "portes", 0.3)
    expected = [OwnPhrase({"en": en, "fr": fr}, False) for en, fr in (("doors", "portes"), ("keys", "clés"))]
    assert names([[], [], []], nouns=[[doors], [doors, noun("keys", "clés", 0.25)], [doors]]) == [*expected, None]

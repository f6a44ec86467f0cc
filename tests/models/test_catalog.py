"""Names of the catalogue, however they are typed; the context is judged elsewhere."""

from __future__ import annotations

import pytest

from models.catalog import CatalogMatcher, NameMatch, Spelling
from models.lexicon import Lexicon
from models.notes import read_note
from models.sounds import sound_key
from models.types import Catalog, Competitor

CATALOG = Catalog(
    us=("Binôme", "Compass Lite"),
    competitors=(
        Competitor("Zendesk", ("zd", "Zen Desk")),
        Competitor("Freshworks", ("Freshdesk", "Fresh Chat")),
        Competitor("Compass", ("Compass Pro",)),
        Competitor("Orbel", ("Orbel Cloud",)),
        Competitor("Quantaris Field Service", ("QFS",)),
        Competitor("3Form", ()),
        Competitor("Société Delmarre", ("Delmarre",)),
    ),
)


def found(text: str, lexicon: Lexicon) -> list[tuple[str, str | None]]:
    note = read_note(text)
    matches = CatalogMatcher(CATALOG, lexicon).find(note.words, text)
    return [(text[note.words[m.first].start : note.words[m.last - 1].end], m.name) for m in matches]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("They run ZENDESK.", [("ZENDESK", "Zendesk")]),
        ("Zendesk's pricing", [("Zendesk", "Zendesk")]),
        ("on a zen desk licence", [("zen desk", "Zendesk")]),
        ("Zen-Desk again", [("Zen-Desk", "Zendesk")]),
        ("#zendesk is down", [("zendesk", "Zendesk")]),
        ("two Zendesks", [("Zendesks", "Zendesk")]),
        ("moved to Zendsk", [("Zendsk", "Zendesk")]),
        ("chez Zendeks", [("Zendeks", "Zendesk")]),
        ("l’outil d’Orbel", [("Orbel", "Orbel")]),
        ("L'Orbel et l'orbelle", [("Orbel", "Orbel"), ("orbelle", "Orbel")]),
        ("a quote from Orbel Cloud", [("Orbel Cloud", "Orbel")]),
        ("quantaris feild service quoted", [("quantaris feild service", "Quantaris Field Service")]),
        ("3 Form and 3form", [("3 Form", "3Form"), ("3form", "3Form")]),
        ("SOCIETE DELMARRE", [("SOCIETE DELMARRE", "Société Delmarre")]),
        ("chez Delmare", [("Delmare", "Société Delmarre")]),
        ("Compass Lite is ours, Compass Pro theirs", [("Compass Lite", None), ("Compass Pro", "Compass")]),
        ("binome", [("binome", None)]),
    ],
)
def test_finds_names(text: str, expected: list[tuple[str, str | None]], lexicon: Lexicon) -> None:
    assert found(text, lexicon) == expected


@pytest.mark.parametrize(
    "text",
    [
        "the form has 3 pages",
        "he ordered a desk",
        "un délai de trois mois",
        "zendegi",
        "they compared and chose",
        "",
        "😀 ... !!",
    ],
)
def test_leaves_other_words_alone(text: str, lexicon: Lexicon) -> None:
    assert found(text, lexicon) == []


def only_match(text: str, lexicon: Lexicon) -> NameMatch:
    note = read_note(text)
    (match,) = CatalogMatcher(CATALOG, lexicon).find(note.words, text)
    return match


def test_says_how_a_name_is_spelt(lexicon: Lexicon) -> None:
    assert only_match("Zendesk", lexicon).spelling is Spelling.EXACT
    assert only_match("Zendsk", lexicon).spelling is Spelling.FUZZY


def test_says_which_names_are_ordinary_words(lexicon: Lexicon) -> None:
    assert only_match("compass", lexicon).ordinary
    assert only_match("a fresh desk for the office", lexicon).ordinary
    assert not only_match("freshworks", lexicon).ordinary


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Locster", "Lockster"),
        ("Philips", "Filips"),
        ("Karl", "Carl"),
        ("Webfleet", "webflit"),
        ("Héliotrop", "eliotrope"),
    ],
)
def test_names_that_sound_alike_share_a_key(one: str, other: str) -> None:
    assert sound_key(one) == sound_key(other)


@pytest.mark.parametrize(("one", "other"), [("Locster", "Lobster"), ("Orbel", "Orvel"), ("Medit", "Merit")])
def test_names_that_sound_apart_do_not(one: str, other: str) -> None:
    assert sound_key(one) != sound_key(other)


def test_thousands_of_aliases_cost_little(lexicon: Lexicon) -> None:
    many = tuple(Competitor(f"Vendor{i}", (f"Prod{i}x", f"Gamma{i} Suite")) for i in range(3_000))
    matcher = CatalogMatcher(Catalog(competitors=many), lexicon)
    text = "They compare Gamma77 Suite with prod12x and with vndor9 every week. " * 20
    note = read_note(text)
    names = {m.name for m in matcher.find(note.words, text)}
    assert {"Vendor77", "Vendor12"} <= names


ABBREVIATIONS = Catalog(
    us=("Binôme",), competitors=(Competitor("Alder North", ("AN",)), Competitor("Ledger Lane", ("LL",)))
)


@pytest.mark.parametrize("text", ["it is an inch", "I'll ring", "they’ll see"])
def test_a_small_word_is_no_abbreviation(text: str, lexicon: Lexicon) -> None:
    assert CatalogMatcher(ABBREVIATIONS, lexicon).find(read_note(text).words, text) == []


@pytest.mark.parametrize("text", ["they use AN", "ll came in under"])
def test_an_abbreviation_may_be_typed_in_small_letters_unless_it_is_a_small_word(text: str, lexicon: Lexicon) -> None:
    assert len(CatalogMatcher(ABBREVIATIONS, lexicon).find(read_note(text).words, text)) == 1

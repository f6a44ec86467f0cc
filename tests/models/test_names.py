"""Names in their note: in labels, typed in one or another way, in several pieces."""

from __future__ import annotations

import pytest
import spacy

from models.candidates import CandidateFinder
from models.catalog import CatalogMatcher
from models.competitors import catalogue_names, find_candidates, joined_parts
from models.lexicon import Lexicon
from models.mentions import Name, mention_features
from models.name_kinds import NameKinds
from models.notes import read_note
from models.spans import char_span
from models.types import Catalog, Competitor

CATALOG = Catalog(us=("Binôme",), competitors=(Competitor("Orbel", ("ORB",)), Competitor("Target", ())))


def described(text: str, lexicon: Lexicon) -> list[str]:
    note = read_note(text)
    (match,) = catalogue_names(note, CatalogMatcher(CATALOG, lexicon))
    return mention_features(note, Name(match.first, match.last, match), lexicon, (), NameKinds.unread())


@pytest.mark.parametrize(
    "text",
    [
        "Competition\n• Orbel: accepts the damages clause",
        "Lost to Orbel: they had a coordinator there",
        "- Orbel : deux pannes en mai",
        "Meeting today.\ndone with Orbel: on hold for an hour",
    ],
)
def test_a_name_in_a_field_label_is_read_with_what_follows(text: str, lexicon: Lexicon) -> None:
    features = described(text, lexicon)
    assert "R0=:" in features
    assert "outside" not in features


def test_a_label_before_the_name_is_read_too(lexicon: Lexicon) -> None:
    assert "L0=to" in described("All well.\nLost to Orbel: they had a coordinator there", lexicon)


def test_a_name_in_boilerplate_is_not_read(lexicon: Lexicon) -> None:
    note = read_note("Fine.\nFrom: sales@orbel.example\nSent: Monday")
    assert catalogue_names(note, CatalogMatcher(CATALOG, lexicon)) == []


def test_small_letters_count_where_the_writer_uses_capitals(lexicon: Lexicon) -> None:
    cased = described("Met Anna on Friday in Leeds. We are well over target.", lexicon)
    small = described("met anna on friday in leeds. they have target", lexicon)
    assert "alias_ordinary=True shape=lower cased=True" in cased
    assert "alias_ordinary=True shape=lower cased=False" in small


@pytest.mark.parametrize(
    ("field", "none"),
    [
        ("Concurrence : aucune", True),
        ("Competition: n/a", True),
        ("COMPETITORS - none so far", True),
        ("Concurrence : Nonatec", False),
        ("Competition: no longer Vantor", False),
        ("Our competitive offer: none", False),
    ],
)
def test_a_field_that_says_there_are_no_rivals_is_told(field: str, none: bool) -> None:
    assert read_note(f"We sat with Orbel on Friday.\n{field}\nNext: a call").denies_rivals == none


def test_what_stands_around_the_name_elsewhere_is_told(lexicon: Lexicon) -> None:
    note = read_note("They chose Vantor last year. Vantor is slow.")
    features = mention_features(note, Name(5, 6), lexicon, (), NameKinds.unread())
    assert "eL0=chose" in features


def test_speakers_are_known(lexicon: Lexicon) -> None:
    note = read_note("Rep: hello\nAnna: hi\nRep: Anna, how are you\nAnna: fine")
    name = next(i for i, w in enumerate(note.words) if w.text == "Anna" and note.text[w.end] == ",")
    assert "speaker" in mention_features(note, Name(name, name + 1), lexicon, (), NameKinds.unread())


@pytest.mark.parametrize(
    ("text", "pieces", "expected"),
    [
        ("lost to Hoist & Sons", ["Hoist", "Sons"], ["Hoist & Sons"]),
        ("Tante Paulette", ["Tante", "Paulette"], ["Tante Paulette"]),
        ("Vox, Lumo and us", ["Vox", "Lumo"], ["Vox", "Lumo"]),
    ],
)
def test_neighbouring_pieces_of_an_unlisted_name_are_one(text: str, pieces: list[str], expected: list[str]) -> None:
    doc = spacy.blank("xx")(text)
    spans = [char_span(doc, text.index(p), text.index(p) + len(p), "evaluating") for p in pieces]
    for span in spans:
        span._.score = 0.5
    joined = joined_parts(doc, spans)
    assert [s.text for s in joined] == expected
    assert [s.label_ for s in joined] == ["evaluating"] * len(expected)


@pytest.mark.parametrize(
    "text",
    [
        "Met T. Obi at the fair. Pearls of wisdom from Obi again.",
        "M. Maréchal était là. En septembre Maréchal est bluffé.",
        "Spoke to Dr Weis. The practice of Weis is happy.",
    ],
)
def test_a_person_once_introduced_is_no_name_of_a_product(text: str, lexicon: Lexicon) -> None:
    note = read_note(text)
    found = [note.words[n.first].text for n in find_candidates(note, CandidateFinder(lexicon), set(), frozenset())]
    assert not {"Obi", "Maréchal", "Weis"} & set(found)


def test_a_company_after_letters_with_stops_stays_a_candidate(lexicon: Lexicon) -> None:
    note = read_note("They had quotes from J.S. Vantor and from Melkor.")
    found = [note.words[n.first].text for n in find_candidates(note, CandidateFinder(lexicon), set(), frozenset())]
    assert {"Vantor", "Melkor"} <= set(found)


def test_plurals_of_abbreviations_are_no_candidates(lexicon: Lexicon) -> None:
    note = read_note("they moved on from PDFs to a portal")
    assert find_candidates(note, CandidateFinder(lexicon), set(), frozenset()) == []


def test_a_tool_named_by_an_ordinary_word_needs_a_capital(lexicon: Lexicon) -> None:
    note = read_note("So word got round that they keep it all in Word, and in excel.")
    found = find_candidates(note, CandidateFinder(lexicon), set(), frozenset())
    assert [note.words[name.first].text for name in found] == ["Word", "excel"]


def test_words_of_our_own_names_are_no_candidates(lexicon: Lexicon) -> None:
    note = read_note("They asked when Chart is coming, and whether Melkor does it.")
    matcher = CatalogMatcher(Catalog(("Acme Chart",), ()), lexicon)
    found = [
        note.words[n.first].text for n in find_candidates(note, CandidateFinder(lexicon), set(), matcher.own_words)
    ]
    assert "Chart" not in found
    assert "Melkor" in found

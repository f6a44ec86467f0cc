"""The analyzer as `service` sees it: exact offsets, any input, the same answer whatever the batch."""

from __future__ import annotations

import time

import numpy as np
import pytest

from models.analyzer import MAX_NOTE_CHARS, NoteReader
from models.errors import UnreadableNote
from models.types import THEME_DIMS, Catalog, Competitor, Language, NoteText

pytestmark = pytest.mark.slow

CATALOG = Catalog(
    us=("Binôme",),
    competitors=(
        Competitor("Zendesk", ("zd", "Zen Desk")),
        Competitor("Orbel", ("Orbel Cloud",)),
        Competitor("Beacon", ()),
    ),
)
ENGLISH = NoteText(
    "🎉 Call w/ Anna – keen, but we're 20% above the other quote. She has a quote from Zendsk too.\n"
    "Objections:\n- no SAP connector\n- the board won't sign three years\nNext: call back Friday",
    "call_note",
)
FRENCH = NoteText(
    "Café avec l’équipe. C’est le siège à Lyon qui tranche et le budget est gelé jusqu’en mars.\n"
    "Ils sont chez Orbel, qui plante tous les lundis 😀. Freins : RAS",
    "visit_report",
)


def test_quotes_stand_where_the_offsets_say(analyzer: NoteReader) -> None:
    for note, analysis in zip((ENGLISH, FRENCH), analyzer.analyze([ENGLISH, FRENCH], CATALOG), strict=True):
        assert analysis.objections
        for finding in (*analysis.objections, *analysis.competitors):
            assert note.text[finding.start : finding.end] == finding.quote
        for passage in analysis.passages:
            assert 0 <= passage.start < passage.end <= len(note.text)


def test_findings_stand_in_order_with_scores_in_range(analyzer: NoteReader) -> None:
    for analysis in analyzer.analyze([ENGLISH, FRENCH], CATALOG):
        for findings in (analysis.objections, analysis.competitors, analysis.passages):
            assert [f.start for f in findings] == sorted(f.start for f in findings)
        assert all(f.score is None or 0 < f.score <= 1 for f in (*analysis.objections, *analysis.competitors))


def test_names_languages_and_catalogue_names(analyzer: NoteReader) -> None:
    english, french = analyzer.analyze([ENGLISH, FRENCH], CATALOG)
    assert (english.language, french.language) == (Language.EN, Language.FR)
    assert [(c.name, c.quote) for c in english.competitors if c.known] == [("Zendesk", "Zendsk")]
    assert [(c.name, c.quote) for c in french.competitors if c.known] == [("Orbel", "Orbel")]


def test_vectors_are_unit_length_float16(analyzer: NoteReader) -> None:
    (analysis,) = analyzer.analyze([ENGLISH], CATALOG)
    vectors = [
        np.frombuffer(v, dtype="<f2").astype(float) for p in analysis.passages for v in (p.vector, p.theme_vector)
    ]
    assert {len(v) for v in vectors} == {384, THEME_DIMS}
    assert all(abs(np.linalg.norm(v) - 1) < 1e-2 for v in vectors)


def test_the_batch_makes_no_difference(analyzer: NoteReader) -> None:
    alone = [analyzer.analyze([note], CATALOG)[0] for note in (ENGLISH, FRENCH)]
    filler = [NoteText(f"They asked for {n} more licences; nothing against it.") for n in range(90)]
    together = analyzer.analyze([ENGLISH, *filler, FRENCH, ENGLISH], CATALOG)
    assert [together[0], together[-2], together[-1]] == [*alone, alone[0]]


def test_an_empty_batch(analyzer: NoteReader) -> None:
    assert analyzer.analyze([], CATALOG) == []


def test_another_catalogue_other_names(analyzer: NoteReader) -> None:
    (analysis,) = analyzer.analyze([FRENCH], Catalog())
    assert not any(c.known for c in analysis.competitors)


ODD = {
    "empty": "",
    "space": " \t\n\r\n ",
    "one word": "ok",
    "emoji": "😀" * 500,
    "combining": "e\u0301" * 300,
    "lone surrogate": "price \ud800 is high",
    "control": "a\x00b\x07c\x1b[31m",
    "invisible": "\u200b\u200d\ufeff\u2060",
    "right to left": "مرحبا كيف حالك هذا النظام بطيء جدا",
    "one word of a million letters": "a" * 1_000_000,
    "one line of a million": "word " * 200_000,
    "a million marks": "!?" * 500_000,
    "a million quotes": '"' * 1_000_000,
    "a million lines": "\n" * 1_000_000,
    "many colons": "a: " * 300_000,
    "many brackets": "<" * 1_000_000,
    "many clauses": "it is too dear, and late; " * 38_000,
    "many names": "Zendesk Foo Bar " * 60_000,
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_reads_anything_in_bounded_time(text: str, analyzer: NoteReader) -> None:
    started = time.process_time()
    (analysis,) = analyzer.analyze([NoteText(text)], CATALOG)
    assert time.process_time() - started < 60, "twenty seconds of a free core"
    assert all(text[f.start : f.end] == f.quote for f in (*analysis.objections, *analysis.competitors))


@pytest.mark.parametrize(
    "text",
    [
        "Der Kunde findet den Preis zu hoch und möchte noch warten, weil das Budget fehlt.",
        "مرحبا كيف حالك هذا النظام بطيء جدا",
        "😀 🎉",
    ],
)
def test_another_language_is_unknown_and_gives_no_objections(text: str, analyzer: NoteReader) -> None:
    (analysis,) = analyzer.analyze([NoteText(text)], CATALOG)
    assert analysis.language is Language.UNKNOWN
    assert analysis.objections == ()


def test_another_language_gives_catalogue_names_only(analyzer: NoteReader) -> None:
    text = "Der Kunde hat ein Angebot von Zendesk und eines von Hubex, wir sind teurer und zu spät."
    (analysis,) = analyzer.analyze([NoteText(text)], CATALOG)
    assert analysis.language is Language.UNKNOWN
    assert [(c.name, c.known) for c in analysis.competitors] == [("Zendesk", True)]


def test_too_long_a_note_is_refused_without_its_text(analyzer: NoteReader) -> None:
    with pytest.raises(UnreadableNote, match="1000001 characters"):
        analyzer.analyze([NoteText("x" * (MAX_NOTE_CHARS + 1))], CATALOG)

"""Boilerplate, fields, items and turns; sentences and clauses, with exact offsets."""

from __future__ import annotations

import pytest

from models.layout import LineKind, empty_value, read_lines
from models.notes import read_note
from models.segments import clauses, sentences


def parts(text: str) -> list[tuple[str, str, str]]:
    return [(str(line.kind), line.label, text[line.start : line.end]) for line in read_lines(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Freins : délais de pose", [("field", "freins", "délais de pose")]),
        ("- too slow on big files", [("item", "", "too slow on big files")]),
        ("2) no offline mode", [("item", "", "no offline mode")]),
        ("👎 no voice entry", [("item", "", "no voice entry")]),
        (
            "Objections:\n- too dear\n- no API",
            [("text", "", "Objections:"), ("item", "objections", "too dear"), ("item", "objections", "no API")],
        ),
        (
            "[00:14:02] Aoife (HQ): who comes?\n[00:14:09] Declan: me",
            [("turn", "aoife (hq)", "who comes?"), ("turn", "declan", "me")],
        ),
        (
            "AS : et le carnet ?\nPaul : non\nAS : ah",
            [("turn", "as", "et le carnet ?"), ("field", "paul", "non"), ("turn", "as", "ah")],
        ),
        ("see https://example.test/a: b", [("text", "", "see https://example.test/a: b")]),
        ("<p>first</p><p>second<br>third</p>", [("text", "", "first"), ("text", "", "second"), ("text", "", "third")]),
    ],
)
def test_lines(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize(
    "line",
    [
        "From: Anna Berg <a.berg@firm.example>",
        "Objet : RE: devis 2026",
        "Dear Sophie,",
        "Bonjour à tous,",
        "This e-mail may contain confidential information and is intended solely for the addressee.",
        "Pensez à l’environnement avant d’imprimer ce message.",
        "Sent from my iPhone",
        "Cordialement,",
        "Kind regards",
    ],
)
def test_boilerplate_is_marked(line: str) -> None:
    assert read_lines(f"{line}\nThe price is fine.")[0].kind is LineKind.BOILERPLATE


def test_what_follows_a_signature_is_boilerplate() -> None:
    text = "The lead time kills it.\n\nKind regards,\nAnna Berg\n--\nBerg GmbH | +49 431 555 01\nCrooked prices!"
    kinds = [line.kind for line in read_lines(text)]
    assert kinds[0] is LineKind.TEXT
    assert set(kinds[1:]) == {LineKind.BOILERPLATE}


def test_quoted_words_are_content_outside_a_thread() -> None:
    lines = read_lines("She writes:\n> we can't sign three years\n\nOn Tue 3 March, Tom Hill wrote:\n> too dear")
    assert [line.kind is LineKind.BOILERPLATE for line in lines] == [False, False, True, True]


def test_a_quoted_thread_is_boilerplate_and_a_forwarded_message_is_not() -> None:
    quoted = read_lines("Fine for us.\nOn Tue 3 March, Tom Hill wrote:\nwe can't sign three years")
    assert [x.kind for x in quoted[1:]] == [LineKind.BOILERPLATE] * 2
    forwarded = read_lines("FYI\n---------- Forwarded message ----------\nFrom: Tom\nwe can't sign three years")
    assert forwarded[-1].kind is LineKind.TEXT


@pytest.mark.parametrize(
    "value",
    ["none", "None raised.", "RAS", "néant", "Aucun", "-", "n/a", "rien à signaler", "none so far", "sans objet"],
)
def test_empty_values(value: str) -> None:
    assert empty_value(value)


@pytest.mark.parametrize(
    "value", ["none of our sites has it", "no connector", "rien chez nous pour les grues", "aucune référence"]
)
def test_values_that_only_begin_like_empty_ones(value: str) -> None:
    assert not empty_value(value)


def test_empty_fields_give_no_segment() -> None:
    note = read_note("Freins : RAS\nConcurrence : néant\nActions : avenant à envoyer")
    assert [note.segment_text(i) for i in range(len(note.segments))] == ["avenant à envoyer"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("J’ai vu M. Guermeur. Il hésite.", ["J’ai vu M. Guermeur.", "Il hésite."]),
        ("new coo, ex hotel. wants 6 months. friendly tho", ["new coo, ex hotel.", "wants 6 months.", "friendly tho"]),
        ("Spoke to St. Anne's about approx. 3 units.", ["Spoke to St. Anne's about approx. 3 units."]),
        ("12.5 % more! Really? Yes", ["12.5 % more!", "Really?", "Yes"]),
        ("« Trop cher. » Il est parti.", ["« Trop cher. »", "Il est parti."]),
        ("Vu J. Petit (achats). RAS", ["Vu J. Petit (achats).", "RAS"]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert [text[a:b] for a, b in sentences(text, 0, len(text))] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("keen on it but the price is a joke to them", ["keen on it", "the price is a joke to them"]),
        ("il aime la démo ; le siège dira non en avril", ["il aime la démo", "le siège dira non en avril"]),
        ("we pay 12,5 euros more than the others", ["we pay 12,5 euros more than the others"]),
        ("nice people – nobody there to run a rollout", ["nice people", "nobody there to run a rollout"]),
    ],
)
def test_clauses(text: str, expected: list[str]) -> None:
    assert [text[a:b] for a, b in clauses(text, 0, len(text))] == expected


def test_offsets_hold_after_accents_emoji_and_combining_marks() -> None:
    text = "🎉 e\u0301te\u0301 chargé 👩‍🔧\n• délai trop long 😀 ; rien à dire"
    note = read_note(text)
    for segment in note.segments:
        for start, end in segment.clauses:
            assert segment.start <= start < end <= segment.end
    assert "délai trop long" in [text[a:b] for s in note.segments for a, b in s.clauses]


def test_an_endless_sentence_is_cut() -> None:
    note = read_note("mot " * 5_000)
    assert max(s.end - s.start for s in note.segments) <= 600

"""Component `binome_passages`: the stretches of a note that are about something.

A passage is a sentence or list item, joined with the short ones that follow it on its line. Greetings, headings, empty
fields and lines about the next appointment are left out. Writes `doc.spans["passages"]`, label is the language.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

from spacy.tokens import Doc

from models.layout import LineKind
from models.lexicon import fold
from models.notes import ReadNote
from models.segments import Segment
from models.spans import char_span

KEY = "passages"
MIN_CHARS = 25
SHORT_CHARS = 60
MAX_CHARS = 400
MAX_PASSAGES = 2_000

_WORDS = tomllib.loads((Path(__file__).parent / "lexicons" / "passages.toml").read_text(encoding="utf-8"))
_LOGISTICS_LABEL = re.compile("|".join(_WORDS["logistics_label"]))
_LOGISTICS = re.compile("|".join(_WORDS["logistics"]))


def _is_about_something(note: ReadNote, segment: Segment, marked: Sequence[tuple[int, int]]) -> bool:
    if any(segment.start < end and start < segment.end for start, end in marked):
        return True
    text = note.text[segment.start : segment.end]
    if len(text) < MIN_CHARS or len(text.split()) < 4 or text.endswith(":"):
        return False
    if segment.kind is LineKind.FIELD and _LOGISTICS_LABEL.match(segment.label):
        return False
    return not (_LOGISTICS.match(fold(text)) and len(text) < 90)


def find_passages(note: ReadNote, marked: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the offsets of passages, in order.

    Args:
        note: The note.
        marked: Offsets of its findings; what holds one is about something.
    """
    spans: list[tuple[int, int]] = []
    for index, segment in enumerate(note.segments):
        if not _is_about_something(note, segment, marked):
            continue
        previous = note.segments[index - 1] if index else None
        joins = (
            spans
            and previous is not None
            and spans[-1][1] == previous.end
            and "\n" not in note.text[previous.end : segment.start]
            and (segment.end - segment.start < SHORT_CHARS or previous.end - previous.start < SHORT_CHARS)
            and segment.end - spans[-1][0] <= MAX_CHARS
        )
        if joins:
            spans[-1] = (spans[-1][0], segment.end)
        else:
            spans.append((segment.start, segment.end))
    return spans[:MAX_PASSAGES]


def findings_of(doc: Doc) -> list[tuple[int, int]]:
    """Return the offsets of a document's objections and competitors."""
    return [(s.start_char, s.end_char) for key in ("objections", "competitors") for s in doc.spans[key]]


class PassageComponent:
    """Marks passages; the language reader labels them later, all at once."""

    def __call__(self, doc: Doc) -> Doc:
        """Mark one document."""
        note: ReadNote = doc.user_data["note"]
        doc.spans[KEY] = [char_span(doc, start, end) for start, end in find_passages(note, findings_of(doc))]
        return doc

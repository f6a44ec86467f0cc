"""A fast, deterministic reader for tests of what is around the reader."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Sequence

from models.errors import UnreadableNote
from models.types import (
    THEME_DIMS,
    Catalog,
    CompetitorMention,
    Language,
    NoteAnalysis,
    NoteText,
    Objection,
    ObjectionStatus,
    ObjectionType,
    Passage,
    Personal,
    PersonalKind,
    Relation,
    Standing,
)

UNREADABLE = "unreadable-note"
DEADLY = "deadly-note"
_PERSONAL = re.compile(
    r"(?<=\bMr )(?P<person>[A-Z]\w+(?: [A-Z]\w+)*)|(?P<email>[\w.]+@[\w-]+\.\w+)|(?P<phone>\+\d[\d ]{8,}\d)"
)


class FakeAnalyzer:
    """Finds an objection at each "too expensive", a competitor at each of its names, a passage at each sentence.

    A name after "Mr", an e-mail address and a telephone number are personal.

    A note that says "unreadable-note" raises; one that says "deadly-note" kills the process.
    """

    version = "fake-1"

    def __init__(self) -> None:
        self.read: list[str] = []

    def analyze(self, notes: Sequence[NoteText], catalog: Catalog) -> list[NoteAnalysis]:
        """Read a batch."""
        for note in notes:
            if DEADLY in note.text:
                os.kill(os.getpid(), 9)
            if UNREADABLE in note.text:
                raise UnreadableNote("this note can't be read")
        self.read += [note.text for note in notes]
        return [self._analyze(note.text, catalog) for note in notes]

    def embed(self, texts: Sequence[str]) -> list[tuple[bytes, bytes]]:
        """Return vector and theme vector of each text, the same: along the axis that the text's length picks."""
        axes = (len(text) % THEME_DIMS for text in texts)
        vectors = (struct.pack(f"<{THEME_DIMS}e", *(float(i == axis) for i in range(THEME_DIMS))) for axis in axes)
        return [(vector, vector) for vector in vectors]

    def _analyze(self, text: str, catalog: Catalog) -> NoteAnalysis:
        objections = tuple(
            Objection(m.start(), m.end(), m[0], ObjectionType.PRICE, ObjectionStatus.OPEN, None, "fake")
            for m in re.finditer("too expensive", text)
        )
        names = {alias: c.name for c in catalog.competitors for alias in (c.name, *c.aliases)}
        mentions = tuple(
            CompetitorMention(
                m.start(), m.end(), m[0], names[m[0]], True, Relation.MENTIONED, Standing.NEUTRAL, None, "fake"
            )
            for m in re.finditer("|".join(map(re.escape, names)) or "(?!)", text)
        )
        sentences = [m for m in re.finditer(r"[^.]+", text) if m[0].strip()]
        vectors = self.embed([m[0] for m in sentences])
        passages = tuple(
            Passage(m.start(), m.end(), Language.EN, *both) for m, both in zip(sentences, vectors, strict=True)
        )
        personal = tuple(
            Personal(m.start(), m.end(), PersonalKind(m.lastgroup or "")) for m in _PERSONAL.finditer(text)
        )
        return NoteAnalysis(Language.EN, objections, mentions, passages, personal)

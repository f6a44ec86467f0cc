"""Component `binome_competitors`: the names of rivals in a note, listed in the catalogue or not.

Catalogue names are found first, however typed; the context then decides which of them are rivals here, and which other
names are. Writes `doc.spans["competitors"]`: label is the relation, `kb_id` the canonical name.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.sparse import csr_matrix
from spacy.tokens import Doc, Span

from models.candidates import CandidateFinder
from models.catalog import CatalogMatcher, NameMatch
from models.lexicon import Lexicon
from models.mentions import MentionReader, Name, is_certain, mention_features
from models.notes import ReadNote
from models.types import Catalog

KEY = "competitors"
KNOWN_THRESHOLD = 0.5
CERTAIN_THRESHOLD = 0.25
UNKNOWN_THRESHOLD = 0.5


class CompetitorComponent:
    """Marks competitor mentions with relation and standing.

    Args:
        lexicon: Ordinary words, first names, places.
        reader: The classifiers of `models/mentions.py`.
    """

    def __init__(self, lexicon: Lexicon, reader: MentionReader) -> None:
        self._lexicon = lexicon
        self._reader = reader
        self._finder = CandidateFinder(lexicon)
        self._matcher = lru_cache(maxsize=8)(lambda catalog: CatalogMatcher(catalog, lexicon))

    def __call__(self, doc: Doc) -> Doc:
        note: ReadNote = doc.user_data["note"]
        catalog: Catalog = doc.user_data["catalog"]
        matches = [m for m in self._matcher(catalog).find(note.words, note.text) if self._readable(note, m)]
        known = [Name(m.first, m.last, m) for m in matches if m.name is not None]
        taken = {i for m in matches for i in range(m.first, m.last)}
        unknown = find_candidates(note, self._finder, taken)
        others = [(note.words[n.first].start, note.words[n.last - 1].end) for n in known]
        found = self._judge(note, known, others, known=True) + self._judge(note, unknown, others, known=False)
        doc.spans[KEY] = sorted((self._span(doc, note, *item) for item in found), key=lambda s: s.start_char)
        return doc

    def _readable(self, note: ReadNote, match: NameMatch) -> bool:
        return note.segment_at(note.words[match.first].start) is not None

    def _judge(
        self, note: ReadNote, names: Sequence[Name], others: Sequence[tuple[int, int]], *, known: bool
    ) -> list[tuple[Name, float, str, str]]:
        """Return the names that are rivals, each with its probability, relation and standing."""
        if not names:
            return []
        features = self._reader.describe([mention_features(note, n, self._lexicon, others) for n in names])
        scores = self._reader.is_rival(features, known=known)
        kept = [i for i, name in enumerate(names) if scores[i] >= _threshold(name)]
        if not kept:
            return []
        relations = _winners(features[kept], self._reader, "relation")
        standings = _winners(features[kept], self._reader, "standing")
        return [(names[i], float(scores[i]), r, s) for i, r, s in zip(kept, relations, standings, strict=True)]

    def _span(self, doc: Doc, note: ReadNote, name: Name, score: float, relation: str, standing: str) -> Span:
        start, end = note.words[name.first].start, note.words[name.last - 1].end
        canonical = name.match.name if name.match and name.match.name else note.text[start:end]
        span = doc.char_span(start, end, label=relation, kb_id=canonical, alignment_mode="expand")
        span._.standing, span._.score, span._.known = standing, score, name.match is not None
        return span


def find_candidates(note: ReadNote, finder: CandidateFinder, taken: set[int]) -> list[Name]:
    """Return the unlisted names of a note, in order."""
    found = []
    for segment in note.segments:
        inside = note.words_between(segment.start, segment.end)
        if inside:
            found += [Name(c.first, c.last) for c in finder.find_among(note.words, note.text, segment, taken, inside)]
    return found


def _threshold(name: Name) -> float:
    if name.match is None:
        return UNKNOWN_THRESHOLD
    return CERTAIN_THRESHOLD if is_certain(name.match) else KNOWN_THRESHOLD


def _winners(features: csr_matrix, reader: MentionReader, task: str) -> list[str]:
    model = reader.relation if task == "relation" else reader.standing
    return [model.labels[i] for i in np.argmax(model.probabilities(features), axis=1)]

"""Component `binome_objections`: marks the clauses that give a reason against us, with type and status.

Writes `doc.spans["objections"]`: label is the type; `status`, `score` and `source` are extension attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from spacy.tokens import Doc, Span

from models.encoder import Encoder
from models.notes import ReadNote
from models.objections import NONE, Clause, ObjectionReader, clause_features, clauses_of, describe

KEY = "objections"
MAX_CLAUSES = 4_000
"""Clauses read of one note; a longer one is cut there, so that time and memory are bounded."""
_TRIMMED = " \t\r\n\u00a0,;:-–—.•>*()"


class ObjectionComponent:
    """Marks objections.

    Args:
        reader: The classifiers of `models/objections.py`.
        encoder: For the vectors of clauses and sentences.
    """

    def __init__(self, reader: ObjectionReader, encoder: Encoder) -> None:
        self._reader = reader
        self._encoder = encoder

    def __call__(self, doc: Doc) -> Doc:
        note: ReadNote = doc.user_data["note"]
        clauses = clauses_of(note)[:MAX_CLAUSES]
        doc.spans[KEY] = self._find(doc, note, clauses) if clauses else []
        return doc

    def _find(self, doc: Doc, note: ReadNote, clauses: Sequence[Clause]) -> list[Span]:
        names = [(s.start_char, s.end_char) for s in doc.spans["competitors"]]
        features = describe(
            [clause_features(note, c, names) for c in clauses],
            self._encoder.encode([note.text[c.start : c.end] for c in clauses]),
            self._encoder.encode([note.segment_text(c.segment) for c in clauses]),
        )
        types = self._reader.types
        probabilities = types.probabilities(features)
        none = types.labels.index(NONE)
        raised = np.flatnonzero(1 - probabilities[:, none] >= self._reader.threshold)
        if not raised.size:
            return []
        probabilities[:, none] = 0
        winners = probabilities.argmax(axis=1)
        statuses = self._reader.status.probabilities(features[raised])
        spans = []
        for group in _runs(raised, winners, clauses):
            rows = [int(np.searchsorted(raised, i)) for i in group]
            status = self._reader.status.labels[int(statuses[rows].sum(axis=0).argmax())]
            score = float(max(probabilities[i, winners[i]] for i in group))
            spans.append(
                self._span(
                    doc,
                    note,
                    clauses[group[0]].start,
                    clauses[group[-1]].end,
                    types.labels[winners[group[0]]],
                    status,
                    score,
                )
            )
        return spans

    def _span(self, doc: Doc, note: ReadNote, start: int, end: int, label: str, status: str, score: float) -> Span:
        while start < end - 1 and note.text[start] in _TRIMMED:
            start += 1
        while end > start + 1 and note.text[end - 1] in _TRIMMED:
            end -= 1
        span = doc.char_span(start, end, label=label, alignment_mode="expand")
        span._.status, span._.score = status, score
        return span


def _runs(raised: NDArray[np.int64], winners: NDArray[np.int64], clauses: Sequence[Clause]) -> list[list[int]]:
    """Join neighbouring clauses of one sentence that give one type: they tell one reason."""
    runs: list[list[int]] = []
    for segment, indices in groupby(raised.tolist(), key=lambda i: clauses[i].segment):
        for i in indices:
            last = runs[-1][-1] if runs else -2
            if last == i - 1 and clauses[last].segment == segment and winners[last] == winners[i]:
                runs[-1].append(i)
            else:
                runs.append([i])
    return runs

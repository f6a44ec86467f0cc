"""Component `binome_objections`: marks the clauses that give a reason against us, with type and status.

Writes `doc.spans["objections"]`: label is the type; `status`, `score` and `source` are extension attributes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from spacy.tokens import Doc

from models.encoder import Encoder
from models.notes import ReadNote
from models.objections import NONE, Clause, ObjectionReader, clause_features, clauses_of, describe
from models.spans import batches, char_span
from models.tagger import STATUS, Tagged
from models.types import Language, ObjectionStatus

KEY = "objections"
MAX_CLAUSES = 2_000
"""Clauses read of one note; a longer one is cut there, so that time and memory are bounded."""
LONG_CLAUSE = 200
"""Characters; few clauses that writers mark are longer."""
SHORT_PART = 15
"""Characters of the shortest part of a long clause."""
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
        """Mark one document."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 64) -> Iterator[Doc]:
        """Mark documents, batch by batch."""
        for docs in batches(stream, batch_size):
            clauses = [
                (doc, clause)
                for doc in docs
                if doc.user_data["language"] is not Language.UNKNOWN
                for clause in parted(clauses_of(doc.user_data["note"])[:MAX_CLAUSES], doc.user_data["tagged"])
            ]
            for doc in docs:
                doc.spans[KEY] = []
            if clauses:
                self._read(clauses)
            yield from docs

    def _features(self, clauses: Sequence[tuple[Doc, Clause]]) -> csr_matrix:
        rows, texts, places = list[list[str]](), list[str](), list[int]()
        sentences: dict[str, int] = {}
        named = {id(doc): _names_by_segment(doc) for doc in {id(d): d for d, _ in clauses}.values()}
        for doc, clause in clauses:
            note: ReadNote = doc.user_data["note"]
            names = named[id(doc)].get(clause.segment, ())
            rows.append(clause_features(note, clause, names))
            texts.append(note.text[clause.start : clause.end])
            places.append(sentences.setdefault(note.segment_text(clause.segment), len(sentences)))
        return describe(rows, self._encoder.encode(texts), self._encoder.encode(list(sentences))[places])

    def _read(self, clauses: Sequence[tuple[Doc, Clause]]) -> None:
        """Judge clauses, and add the objections to their documents."""
        features = self._features(clauses)
        types, status = self._reader.types.labels, self._reader.status.labels
        tagged = np.array([doc.user_data["tagged"].type_chances(c.start, c.end) for doc, c in clauses])
        probabilities = self._reader.type_chances(features, tagged)
        raised = self._reader.raised(probabilities)
        if not raised.size:
            return
        probabilities[:, types.index(NONE)] = 0
        winners = probabilities.argmax(axis=1)
        opinions = [
            doc.user_data["tagged"].chances(c.start, c.end, STATUS)
            for doc, c in map(clauses.__getitem__, raised.tolist())
        ]
        statuses = dict(
            zip(raised.tolist(), self._reader.status_chances(features[raised], np.array(opinions)), strict=True)
        )
        for run in _runs(raised, winners, clauses):
            doc, first = clauses[run[0]]
            verdict = status[int(np.sum([statuses[i] for i in run], axis=0).argmax())]
            if verdict != ObjectionStatus.RESOLVED and doc.user_data["note"].says_us(first.segment):
                continue  # what our own people say against us is no customer's objection
            start, end = _trim(doc.user_data["note"].text, first.start, clauses[run[-1]][1].end)
            span = char_span(doc, start, end, types[winners[run[0]]])
            span._.status = verdict
            span._.score = float(max(probabilities[i, winners[i]] for i in run))
            doc.spans[KEY].append(span)


def parted(clauses: Iterable[Clause], tagged: Tagged) -> Iterator[Clause]:
    """Part clauses that are too long to be one, where the tagger sees a reason begin or end: no mark parted them."""
    for clause in clauses:
        if clause.end - clause.start <= LONG_CLAUSE:
            yield clause
            continue
        start = clause.start
        for turn in [*tagged.turns(clause.start, clause.end), clause.end]:
            if turn == clause.end or min(turn - start, clause.end - turn) >= SHORT_PART:
                yield replace(clause, start=start, end=turn)
                start = turn


def _names_by_segment(doc: Doc) -> dict[int | None, list[tuple[int, int]]]:
    """Return the offsets of the competitors' names in each segment."""
    found: dict[int | None, list[tuple[int, int]]] = {}
    for span in doc.spans["competitors"]:
        found.setdefault(doc.user_data["note"].segment_at(span.start_char), []).append((span.start_char, span.end_char))
    return found


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end - 1 and text[start] in _TRIMMED:
        start += 1
    while end > start + 1 and text[end - 1] in _TRIMMED:
        end -= 1
    return start, end


def _runs(
    raised: NDArray[np.int64], winners: NDArray[np.int64], clauses: Sequence[tuple[Doc, Clause]]
) -> list[list[int]]:
    """Join neighbouring clauses of one sentence that give one type: they tell one reason."""
    runs: list[list[int]] = []
    for _, group in groupby(raised.tolist(), key=lambda i: (id(clauses[i][0]), clauses[i][1].segment)):
        previous = -2
        for i in group:
            if previous == i - 1 and winners[previous] == winners[i]:
                runs[-1].append(i)
            else:
                runs.append([i])
            previous = i
    return runs

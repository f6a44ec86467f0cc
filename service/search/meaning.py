"""Passages near a query in meaning: codes of all passages in this process, kept level with the database."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from service.search import queries

if TYPE_CHECKING:
    from models.nearest import PassageCodes

CANDIDATES = 1_000
MIN_SIMILARITY = 0.15  # queries are short: higher bounds lose most of what is asked for (`make search`)
LEAST_OF_BEST = 0.4  # what is much farther than the nearest is left out
NEAR_NOTES = 100
_LATE_IDS = 2_000  # on PostgreSQL a transaction may commit lower ids after another's higher ones


@dataclass(frozen=True, slots=True)
class NearPassage:
    """The passage of a note that is nearest to the query; `similarity` is a cosine in [0.15, 1]."""

    note_id: int
    start: int
    end: int
    similarity: float


class MeaningIndex:
    """All passages' codes; filled at the first search. One a process; threads may share it."""

    def __init__(self) -> None:
        self._codes: PassageCodes | None = None
        self._lock = threading.Lock()

    def near(self, session: Session, text: str, notes: queries.Ids | None) -> list[NearPassage]:
        """Return the notes nearest in meaning, each with its nearest passage, the nearest first.

        Args:
            session: Reads passages that the index lacks, and the vectors of candidates.
            text: The query.
            notes: Only these notes; None for all.
        """
        from models.nearest import embed_query, similarities  # here: it loads numpy and the encoder

        vector = embed_query(text)
        if vector is None:
            return []
        codes = self._caught_up(session, len(vector))
        among = None if notes is None else json.loads(f"[{notes}]")
        ids = codes.nearest(vector, CANDIDATES, among)
        rows = queries.standing_passages(session, ids)
        if len(rows) < len(ids) // 2:  # most are of texts that were read again since: forget all that is gone
            with self._lock:
                codes.keep(queries.passages_after(session, 0))
            rows = queries.standing_passages(session, codes.nearest(vector, CANDIDATES, among))
        best: dict[int, NearPassage] = {}
        for row, similarity in zip(rows, similarities(vector, [row.vector for row in rows]), strict=True):
            if similarity >= MIN_SIMILARITY and (row.note_id not in best or best[row.note_id].similarity < similarity):
                best[row.note_id] = NearPassage(row.note_id, row.start, row.end, round(min(similarity, 1.0), 4))
        ordered = sorted(best.values(), key=lambda p: (-p.similarity, -p.note_id))[:NEAR_NOTES]
        return [p for p in ordered if p.similarity >= LEAST_OF_BEST * ordered[0].similarity]

    def _caught_up(self, session: Session, n_bytes: int) -> PassageCodes:
        """Return the codes with the passages that are new; the lock is held while the first search reads all."""
        with self._lock:
            if self._codes is None:
                from models.nearest import PassageCodes

                codes = PassageCodes(n_bytes)
                for part in queries.passage_vectors(session, 0, 2**62):
                    codes.add([(id_, note_id, vector) for id_, note_id, vector in part])
                self._codes = codes
                return codes
            codes = self._codes
            new = codes.missing(queries.passages_after(session, codes.last - _LATE_IDS))
            if new:
                wanted = set(new)
                for part in queries.passage_vectors(session, min(new), max(new)):
                    codes.add([(id_, note_id, vector) for id_, note_id, vector in part if id_ in wanted])
            return codes

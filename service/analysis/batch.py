"""Reads a batch of notes: text out of the database, findings back in, nothing locked in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import sqlalchemy as sa
import structlog
from opentelemetry.trace import SpanKind
from sqlalchemy.orm import Session

from models.themes import assign
from models.types import Analyzer, Catalog, LivingTheme, NoteAnalysis, NoteText
from service.analysis.queries import (
    Found,
    Item,
    customer_keys,
    read_batch,
    record_failure,
    save_findings,
    trace_parents,
)
from service.catalog.queries import dismissed_keys, read_catalog
from service.database import read_session, write_session
from service.filters import name_key
from service.operation.instruments import BATCH_SECONDS, NOTES_READ
from service.themes.storage import living_themes
from service.tracing import span

_log = structlog.get_logger()


class BatchAnalysis:
    """The handler of an analysis job."""

    def __init__(self, engine: sa.Engine, analyzer: Analyzer) -> None:
        self._engine = engine
        self._analyzer = analyzer

    def run(self, items: Sequence[Sequence[int]]) -> None:
        """Analyse the notes of a job.

        Args:
            items: `[note id, revision]` pairs; revisions that are no longer current are passed over.
        """
        with read_session(self._engine) as session:
            parents = trace_parents(session, [note_id for note_id, _ in items])
        parent, links = (parents[0], []) if len(parents) == 1 else (None, parents)
        attributes = {"binome.notes": len(items)}
        with (
            BATCH_SECONDS.time(),
            span("analyse notes", SpanKind.CONSUMER, parent=parent, links=links, attributes=attributes),
        ):
            self._run([Item(note_id, revision) for note_id, revision in items])

    def _run(self, items: Sequence[Item]) -> None:
        with read_session(self._engine) as session:
            batch = read_batch(session, items)
            catalog = read_catalog(session)
            themes = living_themes(session)
        with span("read"):
            analyses, failures = self._read(batch, catalog)
        with write_session(self._engine) as session:
            found = _with_themes(_without_others(session, analyses), themes)
            save_findings(session, found, self._analyzer.version, datetime.now(UTC))
            for item, reason in failures.items():
                record_failure(session, item, reason)
        NOTES_READ.labels("read").inc(len(analyses))
        NOTES_READ.labels("failed").inc(len(failures))

    def _read(
        self, batch: list[tuple[Item, str, str]], catalog: Catalog
    ) -> tuple[dict[Item, NoteAnalysis], dict[Item, str]]:
        """Return the analyses of a batch, and the reason for each note that can't be read."""
        try:
            analyses = self._analyzer.analyze([NoteText(text, kind) for _, text, kind in batch], catalog)
        except Exception as error:  # whatever a reader raises on a note must not stop the others
            if len(batch) > 1:
                return self._read_singly(batch, catalog)
            item = batch[0][0]
            _log.warning("note_failed", note_id=item.note_id, revision=item.revision, error=type(error).__name__)
            return {}, {item: f"The reader failed on this note ({type(error).__name__})."}
        return {item: analysis for (item, _, _), analysis in zip(batch, analyses, strict=True)}, {}

    def _read_singly(
        self, batch: list[tuple[Item, str, str]], catalog: Catalog
    ) -> tuple[dict[Item, NoteAnalysis], dict[Item, str]]:
        """Read a batch note by note, so that the one that fails fails alone."""
        analyses: dict[Item, NoteAnalysis] = {}
        failures: dict[Item, str] = {}
        for one in batch:
            read, failed = self._read([one], catalog)
            analyses |= read
            failures |= failed
        return analyses, failures


def _without_others(session: Session, analyses: dict[Item, NoteAnalysis]) -> dict[Item, NoteAnalysis]:
    """Drop unlisted names that are customers', or that a person said are no competitors."""
    unlisted = {name_key(c.name) for a in analyses.values() for c in a.competitors if not c.known}
    dropped = dismissed_keys(session) | customer_keys(session, unlisted)
    return {
        item: replace(a, competitors=tuple(c for c in a.competitors if c.known or name_key(c.name) not in dropped))
        for item, a in analyses.items()
    }


def _with_themes(analyses: dict[Item, NoteAnalysis], themes: Sequence[LivingTheme]) -> dict[Item, Found]:
    return {item: Found(a, assign([p.theme_vector for p in a.passages], themes)) for item, a in analyses.items()}

"""Reads a batch of notes: text out of the database, findings back in, nothing locked in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import sqlalchemy as sa
import structlog
from models.themes import assign

from models.types import Analyzer, Catalog, LivingTheme, NoteAnalysis, NoteText
from service.analysis.queries import Found, Item, read_batch, record_failure, save_findings
from service.catalog.queries import dismissed_keys, read_catalog
from service.database import read_session, write_session
from service.filters import name_key
from service.themes.storage import living_themes

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
            batch = read_batch(session, [Item(note_id, revision) for note_id, revision in items])
            catalog = read_catalog(session)
            dismissed = dismissed_keys(session)
            themes = living_themes(session)
        found, failures = self._read(batch, catalog, dismissed, themes)
        with write_session(self._engine) as session:
            save_findings(session, found, self._analyzer.version, datetime.now(UTC))
            for item, reason in failures.items():
                record_failure(session, item, reason)

    def _read(
        self,
        batch: list[tuple[Item, str, str]],
        catalog: Catalog,
        dismissed: frozenset[str],
        themes: Sequence[LivingTheme],
    ) -> tuple[dict[Item, Found], dict[Item, str]]:
        try:
            analyses = self._analyzer.analyze([NoteText(text, kind) for _, text, kind in batch], catalog)
        except Exception as error:
            if len(batch) > 1:
                return self._read_singly(batch, catalog, dismissed, themes)
            item = batch[0][0]
            _log.warning("note_failed", note_id=item.note_id, revision=item.revision, error=type(error).__name__)
            return {}, {item: f"The reader failed on this note ({type(error).__name__})."}
        found = {
            item: Found(_without(analysis, dismissed), assign([p.vector for p in analysis.passages], themes))
            for (item, _, _), analysis in zip(batch, analyses, strict=True)
        }
        return found, {}

    def _read_singly(
        self,
        batch: list[tuple[Item, str, str]],
        catalog: Catalog,
        dismissed: frozenset[str],
        themes: Sequence[LivingTheme],
    ) -> tuple[dict[Item, Found], dict[Item, str]]:
        """Read a batch note by note, so that the one that fails fails alone."""
        found: dict[Item, Found] = {}
        failures: dict[Item, str] = {}
        for one in batch:
            read, failed = self._read([one], catalog, dismissed, themes)
            found |= read
            failures |= failed
        return found, failures


def _without(analysis: NoteAnalysis, dismissed: frozenset[str]) -> NoteAnalysis:
    """Drop mentions of unlisted names that a person said are no competitors."""
    kept = tuple(c for c in analysis.competitors if c.known or name_key(c.name) not in dismissed)
    return replace(analysis, competitors=kept)

"""Fits of the theme engine: when one is due, and the job that runs it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from models.errors import ModelError
from models.themes import assign, fit
from models.types import ThemeFit
from service.analysis.queries import count_unanalysed
from service.database import read_session, write_session
from service.jobs.queries import finish_job, has_unfinished, report_progress, start_job
from service.themes.storage import (
    UPDATE_ROWS,
    StoredPassage,
    count_passages,
    last_fit,
    living_themes,
    move_passages,
    read_passages,
    save_themes,
    theme_ids_by_key,
)

MIN_PASSAGES = 40  # about thirty notes: with fewer, groups are accidents
GROWTH = 1.5  # so many times the passages of the last fit are worth another
MAX_AGE = timedelta(days=1)

_log = structlog.get_logger()


def refit_due(session: Session, now: datetime) -> str | None:
    """Say why a fit is due, or None: the first one, on growth by half, or daily where something changed.

    While notes wait for analysis none is due: the fit would miss them.
    """
    if has_unfinished(session) or count_unanalysed(session):
        return None
    passages = count_passages(session)
    if passages < MIN_PASSAGES:
        return None
    last = last_fit(session)
    if last is None:
        return "first"
    if passages >= GROWTH * last.passages:
        return "growth"
    if passages != last.passages and now - last.finished_at >= MAX_AGE:
        return "schedule"
    return None


class FitThemes:
    """The handler of a fit."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def run(self, job_id: int) -> None:
        """Fit themes over all passages and move the passages to them; running twice changes nothing more."""
        with write_session(self._engine) as session:
            params = start_job(session, job_id, datetime.now(UTC))
        if params is None:
            return
        with read_session(self._engine) as session:
            stored = read_passages(session)
            living = living_themes(session)
        try:
            fitted = fit([s.passage for s in stored], living)
        except ModelError as error:
            with write_session(self._engine) as session:
                finish_job(session, job_id, datetime.now(UTC), failure=str(error))
            return
        self._save(job_id, stored, fitted, str(params.get("trigger", "hand")))

    def _save(self, job_id: int, stored: list[StoredPassage], fitted: ThemeFit, trigger: str) -> None:
        with write_session(self._engine) as session:
            theme_ids = save_themes(session, fitted, trigger=trigger, now=datetime.now(UTC))
        moves = [
            (passage.row_id, None if index is None else theme_ids[index], similarity)
            for passage, index, similarity in zip(stored, fitted.assignments, fitted.similarities, strict=True)
        ]
        for begin in range(0, len(moves), UPDATE_ROWS):
            with write_session(self._engine) as session:
                move_passages(session, moves[begin : begin + UPDATE_ROWS])
                report_progress(session, job_id, min(begin + UPDATE_ROWS, len(moves)), len(moves))
        self._assign_rest(stored)
        result = {"themes": len(fitted.themes), "passages": len(moves), "version": fitted.version}
        with write_session(self._engine) as session:
            finish_job(session, job_id, datetime.now(UTC), result=result)
        _log.info("themes_fitted", job_id=job_id, trigger=trigger, **result)

    def _assign_rest(self, fitted: list[StoredPassage]) -> None:
        """Assign the passages that came while the fit ran."""
        known = {s.row_id for s in fitted}
        with write_session(self._engine) as session:
            rest = [s for s in read_passages(session) if s.row_id not in known]
            if not rest:
                return
            matches = assign([s.passage.vector for s in rest], living_themes(session))
            ids = theme_ids_by_key(session)
            move_passages(
                session,
                [
                    (s.row_id, ids[match.key] if match else None, match.similarity if match else None)
                    for s, match in zip(rest, matches, strict=True)
                ],
            )

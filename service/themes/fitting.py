"""Fits of the theme engine: when one is due, and the job that runs it."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from models.errors import ModelError
from models.theme_curation import describe_theme, mean_vector, place_themes
from models.themes import assign, fit
from models.types import LivingTheme, ThemeFit
from service.analysis.queries import count_unanalysed
from service.database import read_session, write_session
from service.jobs.queries import finish_job, has_unfinished, report_progress, start_job
from service.tables import ThemeFitTable
from service.themes.areas import settle_areas, settle_places
from service.themes.lineage import Lineage, trace
from service.themes.passages import (
    UPDATE_ROWS,
    VECTOR_BYTES,
    PassagePlace,
    Sample,
    count_passages,
    draw_sample,
    move_passages,
    newest_passage,
    passage_counts,
    read_passages,
    read_places,
    rest_by_day,
    unassigned_since,
)
from service.themes.storage import (
    SavedFit,
    ThemeState,
    last_fit,
    living_themes,
    log_sizes,
    renew_centroids,
    save_themes,
    settle_missed,
)

MIN_PASSAGES = 40  # about thirty notes: with fewer, groups are accidents
GROWTH = 1.5  # so many times the passages of the last fit are worth another
MAX_AGE = timedelta(days=1)
DRIFT_PASSAGES = 40  # new passages from which their share without a theme means something
DRIFT_MORE = 0.10  # so much above the share that the last fit left
DRIFT_SURE = 2.33  # standard errors above it: by chance once in a hundred

_log = structlog.get_logger()


def refit_due(session: Session, now: datetime) -> str | None:
    """Say why a fit is due, or None.

    - `first`: there was none;
    - `growth`: half as many passages again as the last fit had;
    - `drift`: of the passages that came since, clearly more have no theme than the last fit left (`drifted`);
    - `schedule`: something changed, and the last fit is a day old.

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
    if drifted(*_shares(session, last)):
        return "drift"
    if passages != last.passages and now - last.finished_at >= MAX_AGE:
        return "schedule"
    return None


def drifted(unassigned: int, new: int, left: int, fitted: int) -> bool:
    """Tell whether new passages fit the themes clearly worse than those of the last fit did.

    The share without a theme must be `DRIFT_MORE` above that of the fit, and `DRIFT_SURE` standard errors of the
    difference of two proportions.

    Args:
        unassigned: New passages without a theme.
        new: All new passages.
        left: Passages that the fit left without a theme.
        fitted: All passages of the fit.
    """
    if new < DRIFT_PASSAGES or not fitted:
        return False
    now, before = unassigned / new, left / fitted
    pooled = (unassigned + left) / (new + fitted)
    error = (pooled * (1 - pooled) * (1 / new + 1 / fitted)) ** 0.5
    return now - before >= DRIFT_MORE and now - before >= DRIFT_SURE * error


def _shares(session: Session, last: ThemeFitTable) -> tuple[int, int, int, int]:
    newest = (last.detail or {}).get("newest")
    unassigned, new = unassigned_since(session, newest) if newest is not None else (0, 0)
    return unassigned, new, last.passages - last.assigned, last.passages


class FitThemes:
    """The handler of a fit."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def run(self, job_id: int) -> None:
        """Fit themes over an even sample of all passages, and move all passages to them.

        Running twice changes nothing more. What it holds in memory is bounded, but for eight bytes a passage.
        """
        with write_session(self._engine) as session:
            params = start_job(session, job_id, datetime.now(UTC))
        if params is None:
            return
        with read_session(self._engine) as session:
            sample = draw_sample(session)
            places, passages = read_passages(session, sample)
        with write_session(self._engine) as session:
            renew_centroids(session, mean_vector, describe_theme)
        with read_session(self._engine) as session:
            living = living_themes(session)
        try:
            fitted = fit(passages, living)
        except ModelError as error:
            with write_session(self._engine) as session:
                finish_job(session, job_id, datetime.now(UTC), failure=str(error))
            return
        self._save(job_id, sample, places, fitted, str(params.get("trigger", "hand")))

    def _save(self, job_id: int, sample: Sample, places: list[PassagePlace], fitted: ThemeFit, trigger: str) -> None:
        with write_session(self._engine) as session:
            last = last_fit(session)
            why = (
                dict(zip(("unassigned", "new", "left", "fitted"), _shares(session, last), strict=True)) if last else {}
            )
            saved = save_themes(session, fitted, trigger=trigger, now=datetime.now(UTC), why=why)
            missed = [
                (t.id, LivingTheme(t.key, t.centroid), t.locked)
                for t in saved.missed
                if len(t.centroid) == VECTOR_BYTES
            ]
            fit_id, passages = saved.record.id, count_passages(session)
            session.flush()
            session.expunge_all()
        went: Went = Counter()
        for moves in chain(
            self._moves_of_sample(places, fitted, saved.theme_ids, missed),
            self._moves_of_rest(sample, {place.row_id for place in places}, fitted, saved.theme_ids, missed),
        ):
            with write_session(self._engine) as session:
                move_passages(session, [(place.row_id, theme_id, cosine) for place, theme_id, cosine in moves])
                went.update((place.theme_id, theme_id) for place, theme_id, _ in moves)
                report_progress(session, job_id, min(went.total(), passages), passages)
        lineage = trace(went, gone={theme_id for theme_id, _, locked in missed if not locked}, born=saved.born)
        with write_session(self._engine) as session:
            now = datetime.now(UTC)
            settle_missed(session, _reattached(session, saved, fit_id), lineage, now)
            settle_areas(session)
            settle_places(session, place_themes)
            _complete(session, fit_id, lineage, saved)
            result = {"themes": len(set(saved.theme_ids)), "passages": went.total(), "version": fitted.version}
            finish_job(session, job_id, now, result=result)
        _log.info("themes_fitted", job_id=job_id, trigger=trigger, **result)

    def _moves_of_sample(
        self, places: list[PassagePlace], fitted: ThemeFit, theme_ids: list[int], missed: list[Missed]
    ) -> Iterator[list[Move]]:
        found = [
            (place, None if index is None else theme_ids[index], similarity)
            for place, index, similarity in zip(places, fitted.assignments, fitted.similarities, strict=True)
        ]
        found.sort(key=lambda move: move[0].day)
        for begin in range(0, len(found), UPDATE_ROWS):
            yield _keep(found[begin : begin + UPDATE_ROWS], missed)

    def _moves_of_rest(
        self, sample: Sample, fitted_rows: set[int], fitted: ThemeFit, theme_ids: list[int], missed: list[Missed]
    ) -> Iterator[list[Move]]:
        """Give the passages that the fit did not read the nearest of its themes."""
        themes = [LivingTheme(t.key or f"new {number}", t.centroid) for number, t in enumerate(fitted.themes)]
        ids = {theme.key: theme_id for theme, theme_id in zip(themes, theme_ids, strict=True)}
        for row_ids in self._rest(sample):
            with read_session(self._engine) as session:
                rest = read_places(session, [row_id for row_id in row_ids if row_id not in fitted_rows])
            matches = assign([place.vector for place in rest], themes, [place.theme for place in rest])
            found: list[Move] = [
                (place, ids[match.key] if match else None, match.similarity if match else None)
                for place, match in zip(rest, matches, strict=True)
            ]
            yield _keep(found, missed)

    def _rest(self, sample: Sample) -> Iterator[array[int]]:
        """Give the row ids of the passages that are not drawn, by day, then of those that came meanwhile."""
        after = 0
        while True:
            with read_session(self._engine) as session:
                rest = rest_by_day(session, sample, after)
            if not rest:
                return
            after = max(rest)
            for begin in range(0, len(rest), UPDATE_ROWS):
                yield rest[begin : begin + UPDATE_ROWS]


Move = tuple[PassagePlace, int | None, float | None]
"""A passage, and the row id of the theme that it goes to, with its cosine."""
Missed = tuple[int, LivingTheme, bool]
"""Row id of a theme that a fit did not find, the theme, and whether a person locked it."""
Went = Counter[tuple[int | None, int | None]]
"""How many passages had a theme before, and have one after."""


def _keep(moves: list[Move], missed: list[Missed]) -> list[Move]:
    """Leave themes that the fit did not find the passages that are theirs.

    A locked one takes those that are nearer to it than to what the fit gave them; another only those that the fit left
    without a theme. Pinned passages stay where they are.
    """
    vectors = [place.vector for place, _, _ in moves]
    kept = [*moves]
    for locked in (True, False):
        themes = {theme.key: (row_id, theme) for row_id, theme, held in missed if held is locked}
        matches = assign(vectors, [theme for _, theme in themes.values()])
        for i, match in enumerate(matches):
            place, theme_id, similarity = kept[i]
            if match and (theme_id is None or (locked and match.similarity > (similarity or 0.0))):
                kept[i] = (place, themes[match.key][0], match.similarity)
    return [(move[0], move[0].theme_id, move[2]) if move[0].pinned else move for move in kept]


def _reattached(session: Session, saved: SavedFit, fit_id: int) -> SavedFit:
    """Read a fit's rows again, in the session that settles them."""
    record = session.get_one(ThemeFitTable, fit_id)
    missed = [session.get_one(type(theme), theme.id) for theme in saved.missed]
    return SavedFit(record, saved.theme_ids, saved.born, missed)


def _complete(session: Session, fit_id: int, lineage: Lineage, saved: SavedFit) -> None:
    """Write into a fit's record what came of the themes, and what it left without one."""
    session.flush()
    record = session.get_one(ThemeFitTable, fit_id)
    missed = [session.get_one(type(theme), theme.id) for theme in saved.missed]
    log_sizes(session, fit_id)
    record.assigned = sum(passage_counts(session, None).values())
    record.passages = max(count_passages(session), record.assigned)
    record.detail = {
        **(record.detail or {}),
        "newest": newest_passage(session),
        "continued": len(set(saved.theme_ids) - saved.born),
        "born": len(saved.born),
        "merged": len(lineage.merged),
        "split": len(lineage.split),
        "faded": sum(theme.state == ThemeState.ACTIVE for theme in missed),
        "retired": sum(theme.state == ThemeState.RETIRED for theme in missed),
    }

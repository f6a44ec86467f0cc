"""How long a fit of very many passages takes a worker, and how much memory.

    python -m tests.bench.theme_size [--passages 200000 1000000]

The passages are made of halves of written ones, their vectors lie between, and they stand in a database as the reader
leaves them. The fit runs in a process of its own, as a worker runs it. Writes data/metrics/theme_size.json.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from models.encoder import from_bytes, to_bytes
from models.types import ThemePassage
from service.database import make_engine, migrate, read_session, write_session
from service.jobs.queries import JobKind, request_job
from service.jobs.tables import JobTable
from service.tables import AccountTable, AuthorTable, NoteTable, PassageTable
from service.themes.fitting import FitThemes
from tests.bench.memory import peak_mb
from tests.bench.seed import LAST_DAY, insert, note

ROOT = Path(__file__).parents[2]
METRICS = ROOT / "data" / "metrics" / "theme_size.json"
INDUSTRIES = ("lift-maintenance", "packaging", "telecom", "road-freight", "retail-pos", "hr-payroll")
ACCOUNTS = 2_000
CHUNK = 10_000
NOISE = 0.3


def seed(engine: sa.Engine, written: list[ThemePassage], count: int) -> None:
    """Fill an empty, migrated database with notes of one passage each."""
    chance, noise = random.Random(7), np.random.default_rng(7)
    meanings, places = (from_bytes([getattr(p, name) for p in written]) for name in ("vector", "theme_vector"))
    with engine.begin() as connection:
        accounts = [{"id": i, "key": f"acc-{i}", "name": f"Firm {i}"} for i in range(1, ACCOUNTS + 1)]
        connection.execute(sa.insert(AccountTable), accounts)
        connection.execute(sa.insert(AuthorTable), [{"id": 1, "key": "rep-1", "name": "Rep"}])
    for begin in range(0, count, CHUNK):
        ids = range(begin + 1, min(begin + CHUNK, count) + 1)
        pairs = noise.integers(0, len(written), (len(ids), 2))
        vectors, theme_vectors = (between(space, pairs, noise) for space in (meanings, places))
        notes, passages = [], []
        for row_id, pair, vector, theme_vector in zip(ids, pairs, vectors, theme_vectors, strict=True):
            first, second = (written[i] for i in pair)
            text = f"{first.text[: len(first.text) // 2]} {second.text[len(second.text) // 2 :]}"
            at = LAST_DAY - timedelta(days=chance.randrange(730))
            links = {"account_id": chance.randint(1, ACCOUNTS), "author_id": 1}
            notes.append({**note(row_id, at, {**links, "deal_id": None}, chance), "text": text})
            span = {"note_id": row_id, "occurred_on": at.date(), "start": 0, "end": len(text)}
            found = {"language": str(first.language), "vector": vector, "theme_vector": theme_vector}
            passages.append({**span, **links, **found})
        with engine.begin() as connection:
            insert(connection, NoteTable, notes)
            insert(connection, PassageTable, passages)


def between(space: Any, pairs: Any, noise: np.random.Generator) -> list[bytes]:
    """Return vectors of unit length between those of each pair, some way off."""
    middle = space[pairs[:, 0]] * 0.7 + space[pairs[:, 1]] * 0.3
    middle += noise.normal(0, NOISE / middle.shape[1] ** 0.5, middle.shape)
    return to_bytes((middle / np.linalg.norm(middle, axis=1, keepdims=True)).astype(np.float32))


def fit(url: str, results: Any) -> None:
    """Fit, as a worker does, and tell the seconds and the memory."""
    engine = make_engine(url)
    with write_session(engine) as session:
        job_id = request_job(session, JobKind.FIT_THEMES, by="bench", now=LAST_DAY).id
    started, before = time.perf_counter(), time.process_time()
    FitThemes(engine).run(job_id)
    results.put(
        {
            "seconds": round(time.perf_counter() - started, 1),
            "processor_seconds": round(time.process_time() - before, 1),
            "peak_mib": round(peak_mb()),
        }
    )


def measure(url: str) -> dict[str, Any]:
    """Fit twice: where no theme stands, and where the themes of the first fit do."""
    found = {}
    for name in ("first fit", "refit"):
        context = multiprocessing.get_context("spawn")
        results = context.Queue()
        process = context.Process(target=fit, args=(url, results))
        process.start()
        found[name] = results.get()
        process.join()
        print(name, found[name], flush=True)
    return found


def written_passages() -> list[ThemePassage]:
    """Return the passages of some industries' whole notes."""
    from models.themes import ARTEFACTS
    from training.theme_workspaces import load_describer, read_workspace

    describer = load_describer(ARTEFACTS)
    folders = (ROOT / "data" / "corpus" / industry for industry in INDUSTRIES)
    return [p for folder in folders for p in read_workspace(folder, describer).passages if any(p.theme_vector)]


def measure_size(written: list[ThemePassage], count: int) -> dict[str, Any]:
    """Fit so many passages, twice, in a database of their own."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'themes.sqlite3'}"
        migrate(url)
        engine = make_engine(url)
        seed(engine, written, count)
        result = measure(url)
        with read_session(engine) as session:
            result["outcomes"] = [job.result for job in session.scalars(sa.select(JobTable).order_by(JobTable.id))]
        engine.dispose()
    return result


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--passages", type=int, nargs="+", default=[200_000, 1_000_000])
    written = written_passages()
    result = {str(count): measure_size(written, count) for count in parser.parse_args().passages}
    METRICS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()

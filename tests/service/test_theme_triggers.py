"""What makes a running worker fit the themes by itself: drift, and the schedule; the log of fits says which."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from models.encoder import load_encoder
from models.themes import ARTEFACTS
from models.types import THEME_DIMS
from service.themes.fitting import DRIFT_PASSAGES, GROWTH
from tests.analyzers import FakeAnalyzer
from tests.work import note, wait_until, worker_running

MATTERS = ("The readers come late.", "The contract renews by itself.", "Their data must stay in the country.")
NEW_MATTER = "Nobody picks up the telephone at night."
EACH = 32
SECONDS = 240  # a fit takes one or two on a quiet machine


class ByLength(FakeAnalyzer):
    """Gives sentences of one length the same place, and all others another."""

    _n_dims = load_encoder(ARTEFACTS / "encoder").encode(["any"]).shape[1]

    def embed(self, texts: Sequence[str]) -> list[tuple[bytes, bytes]]:
        def along(text: str, n_dims: int) -> bytes:
            return struct.pack(f"<{n_dims}e", *(float(i == len(text)) for i in range(n_dims)))

        return [(along(text, self._n_dims), along(text, THEME_DIMS)) for text in texts]


class Clock:
    """The worker's clock, which can be moved."""

    ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture(autouse=True)
def made_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made vectors lie where no real passage does: what is known of sales notes doesn't hold for them."""
    monkeypatch.setattr("models.themes._is_of_sales", lambda vectors: False)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("service.jobs.worker._now", made)
    monkeypatch.setattr("service.jobs.worker.REAP_SECONDS", 0.2)  # how often it asks whether a fit is due
    return made


def post(client: TestClient, name: str, texts: Sequence[str], each: int) -> None:
    notes = [
        note(f"{name}-{i}-{j}", text, account={"id": f"a{j % 8}"}) for i, text in enumerate(texts) for j in range(each)
    ]
    assert client.post("/v1/notes", json={"notes": notes}).status_code == 202


def fits(client: TestClient) -> list[dict[str, Any]]:
    """Return the log of fits, the first one first."""
    answer = client.get("/v1/themes/fits")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"][::-1]


def test_a_worker_fits_by_itself_and_the_log_says_why(
    client: TestClient, engine: sa.Engine, database_url: str, clock: Clock
) -> None:
    assert (GROWTH - 1) * EACH * len(MATTERS) > DRIFT_PASSAGES  # so that drift is seen before growth
    post(client, "begun", MATTERS, EACH)
    with worker_running(engine, database_url, ByLength()):
        wait_until(lambda: len(fits(client)) == 1, SECONDS)
        post(client, "new", [NEW_MATTER], DRIFT_PASSAGES)
        wait_until(lambda: len(fits(client)) == 2, SECONDS)
        post(client, "more", MATTERS[:1], 1)
        wait_until(lambda: client.get("/v1/notes/1").json()["analysis"]["state"] == "done", SECONDS)
        clock.ahead = timedelta(days=1, hours=1)
        wait_until(lambda: len(fits(client)) == 3, SECONDS)
    first, drift, schedule = fits(client)
    assert (first["trigger"], first["themes"], first["passages"], first["unassigned"]) == ("first", 3, 96, 0)
    assert (drift["trigger"], drift["themes"], drift["unassigned"]) == ("drift", 4, 0)
    assert drift["detail"]["why"] == {"unassigned": DRIFT_PASSAGES, "new": DRIFT_PASSAGES, "left": 0, "fitted": 96}
    assert (drift["detail"]["born"], drift["detail"]["continued"]) == (1, 3)
    assert (schedule["trigger"], schedule["passages"]) == ("schedule", 96 + DRIFT_PASSAGES + 1)
    assert (schedule["detail"]["born"], schedule["detail"]["continued"]) == (0, 4)

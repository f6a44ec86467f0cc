"""Curation of themes: it counts at once, outlives fits, and can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from models.encoder import load_encoder, to_bytes
from models.theme_curation import ARTEFACTS
from models.theme_space import load_theme_encoder
from models.themes import fit
from models.types import LivingTheme, ThemeFit, ThemePassage
from service.database import read_session, write_session
from service.jobs.queries import JobKind, request_job
from service.notes.queries import requeue
from service.tables import PassageTable, ThemeTable
from service.themes.fitting import FitThemes, drifted
from service.themes.passages import VECTOR_BYTES, move_passages
from tests.analyzers import FakeAnalyzer
from tests.work import analyse_all, note

MATTERS = {
    "hosting": "patient data must be hosted in the European Union region {}",
    "delays": "spare parts delivery lead time is twelve weeks for depot {}",
    "renewal": "the tacit renewal clause in the contract of branch {}",
}
PLACES = ("north", "south", "harbour", "valley", "central", "airport", "market", "station")
PERIOD = {"from": "2026-09-01", "to": "2026-09-30"}


class Encoded(FakeAnalyzer):
    """Finds as the fake one does, with the real vectors."""

    _encoder = load_encoder(ARTEFACTS / "encoder")
    _themes = load_theme_encoder(ARTEFACTS)

    def embed(self, texts: Sequence[str]) -> list[tuple[bytes, bytes]]:
        both = (to_bytes(encode(list(texts))) for encode in (self._encoder.encode, self._themes.encode))
        return list(zip(*both, strict=True))


def fit_now(engine: sa.Engine) -> None:
    with write_session(engine) as session:
        job_id = request_job(session, JobKind.FIT_THEMES, by="tests", now=datetime.now(UTC)).id
    FitThemes(engine).run(job_id)


@pytest.fixture
def fitted(client: TestClient, engine: sa.Engine) -> TestClient:
    """A client with three themes of eight passages each."""
    notes = [
        note(f"{matter}-{i}", words.format(place), account={"id": f"a{i}"}, author={"id": f"r{i % 3}", "team": "t"})
        for matter, words in MATTERS.items()
        for i, place in enumerate(PLACES)
    ]
    assert client.post("/v1/notes", json={"notes": notes}).status_code == 202
    analyse_all(engine, Encoded())
    fit_now(engine)
    return client


def themes(client: TestClient) -> dict[str, str]:
    """Return the id of the theme of each matter."""
    found = {}
    for matter in MATTERS:
        at = client.get("/v1/notes", params={"limit": 200}).json()["items"]
        number = next(n["id"] for n in at if n["external_id"] == f"{matter}-0")
        found[matter] = client.get(f"/v1/notes/{number}").json()["analysis"]["passages"][0]["theme_id"]
    return found


def mentions(client: TestClient) -> dict[str, int]:
    items = client.get("/v1/themes", params=PERIOD).json()["items"]
    return {item["id"]: item["mentions"] for item in items}


def do(client: TestClient, method: str, path: str, body: Any = None, expected: int = 200) -> dict[str, Any]:
    answer = client.request(method, f"/v1/themes{path}", json=body)
    assert answer.status_code == expected, answer.text
    return answer.json()


def test_a_merge_is_shown_made_kept_and_undone(fitted: TestClient, engine: sa.Engine) -> None:
    ids = themes(fitted)
    gone, into = ids["hosting"], ids["delays"]
    before = mentions(fitted)
    assert before == dict.fromkeys(ids.values(), 8)
    seen = do(fitted, "POST", f"/{gone}/merge?preview=true", {"into": into})
    assert (seen["id"], seen["effect"]) == (None, {"passages": 8, "notes": 8, "accounts": 8})
    assert mentions(fitted) == before
    made = do(fitted, "POST", f"/{gone}/merge", {"into": into})
    assert mentions(fitted) == {into: 16, ids["renewal"]: 8}
    merged = do(fitted, "GET", f"/{gone}")
    assert (merged["merged_into"], merged["lifecycle"]) == (into, "retired")
    fit_now(engine)
    assert mentions(fitted) == {into: 16, ids["renewal"]: 8}
    do(fitted, "POST", f"/changes/{made['id']}/undo")
    assert mentions(fitted) == before
    again = do(fitted, "POST", f"/changes/{made['id']}/undo", expected=409)
    assert again["code"] == "undone_already"
    fit_now(engine)
    assert mentions(fitted) == before
    kinds = [e["kind"] for e in do(fitted, "GET", f"/{gone}/history")["items"]]
    assert kinds == ["matched", "undone", "merged", "born"]
    exported = fitted.get("/v1/exports/history", params={"id": gone, "format": "json"}).json()
    assert [row["event"] for row in exported] == kinds
    assert exported[2]["details"] == f"into {into}"
    assert fitted.get("/v1/exports/history", params={"id": "theme-99"}).status_code == 404


def test_the_tree_is_exported_as_the_page_has_it(fitted: TestClient) -> None:
    tree = fitted.get("/v1/themes/tree").json()
    exported = fitted.get("/v1/exports/tree", params={"format": "json", "lang": "fr"}).json()
    shown = [(a["label"]["fr"], t["id"], t["label"]["fr"], t["passages"]) for a in tree["areas"] for t in a["themes"]]
    assert len(shown) > 1
    assert [(row["area"], row["id"], row["title"], row["passages"]) for row in exported] == shown


def test_themes_of_an_earlier_space_keep_their_passages_and_are_renewed(fitted: TestClient, engine: sa.Engine) -> None:
    declared = do(fitted, "POST", "", {"name": "spare parts", "description": "Spare parts come too late."}, 201)
    before, ids = mentions(fitted), themes(fitted)
    with write_session(engine) as session:
        session.execute(sa.update(ThemeTable).values(centroid=bytes(768)))
        session.execute(sa.update(PassageTable).values(theme_vector=b""))
        requeue(session, [])
    fit_now(engine)
    assert mentions(fitted) == before  # nothing can be compared yet, and nothing is lost
    analyse_all(engine, Encoded())
    assert mentions(fitted) == before
    fit_now(engine)
    assert mentions(fitted) == before
    assert themes(fitted) == ids
    assert do(fitted, "GET", f"/{declared['born']}")["lifecycle"] != "retired"
    with write_session(engine) as session:
        centroids = list(session.scalars(sa.select(ThemeTable.centroid)))
    assert {len(centroid) for centroid in centroids} == {VECTOR_BYTES}


def test_an_edit_outlives_fits_and_can_be_undone(fitted: TestClient, engine: sa.Engine) -> None:
    theme = themes(fitted)["hosting"]
    label = do(fitted, "GET", f"/{theme}")["label"]
    made = do(
        fitted, "PATCH", f"/{theme}", {"label": {"en": "EU hosting", "fr": "hébergement UE"}, "nature": "structural"}
    )
    later = do(fitted, "PATCH", f"/{theme}", {"label": {"en": "Hosting in the EU"}, "muted": True})
    fit_now(engine)
    shown = do(fitted, "GET", f"/{theme}")
    assert shown["label"] == {"en": "Hosting in the EU", "fr": "hébergement UE"}
    assert (shown["nature"], shown["nature_by"], shown["muted"]) == ("structural", "person", True)
    assert shown["evidence"]["nature_by_rules"] == "too_early"
    ranked = fitted.get("/v1/insights", params={**PERIOD, "about": "theme"}).json()["items"]
    assert theme not in {i["id"] for i in ranked}
    assert len(ranked) == 2
    assert do(fitted, "POST", f"/changes/{made['id']}/undo", expected=409)["code"] == "undo_later_first"
    do(fitted, "POST", f"/changes/{later['id']}/undo")
    do(fitted, "POST", f"/changes/{made['id']}/undo")
    shown = do(fitted, "GET", f"/{theme}")
    assert (shown["label"], shown["nature_by"], shown["muted"]) == (label, "rules", False)


def test_a_split_by_passages(fitted: TestClient, engine: sa.Engine) -> None:
    ids = themes(fitted)
    theme = ids["hosting"]
    quotes = do(fitted, "GET", f"/{theme}/evidence?from=2026-09-01&to=2026-09-30")["items"]
    some = [q["id"] for q in quotes[:3]]
    made = do(fitted, "POST", f"/{theme}/split", {"passages": some, "label": {"en": "Part", "fr": "Partie"}})
    assert mentions(fitted)[made["born"]] == 3
    assert mentions(fitted)[theme] == 5
    fit_now(engine)
    assert do(fitted, "GET", f"/{made['born']}")["label"] == {"en": "Part", "fr": "Partie"}
    assert do(fitted, "GET", f"/{made['born']}")["lifecycle"] != "retired"
    assert mentions(fitted).get(theme, 0) + mentions(fitted).get(made["born"], 0) == 8
    do(fitted, "POST", f"/changes/{made['id']}/undo")
    assert mentions(fitted)[theme] == 8
    everything = [q["id"] for q in quotes]
    assert do(fitted, "POST", f"/{theme}/split", {"passages": everything}, 409)["code"] == "no_split"
    assert do(fitted, "POST", f"/{theme}/split", {"passages": [999_999]}, 422)["errors"][0]["field"] == "passages"


def test_a_moved_passage_stays(fitted: TestClient, engine: sa.Engine) -> None:
    ids = themes(fitted)
    theme, other = ids["hosting"], ids["delays"]
    quote = do(fitted, "GET", f"/{theme}/evidence?from=2026-09-01&to=2026-09-30")["items"][0]
    made = do(fitted, "POST", f"/{other}/passages", {"passage_id": quote["id"]})
    assert (mentions(fitted)[theme], mentions(fitted)[other]) == (7, 9)
    fit_now(engine)
    assert (mentions(fitted)[theme], mentions(fitted)[other]) == (7, 9)
    with write_session(engine) as session:
        requeue(session, [])
    analyse_all(engine, Encoded())
    assert (mentions(fitted)[theme], mentions(fitted)[other]) == (7, 9)
    do(fitted, "POST", f"/changes/{made['id']}/undo")
    fit_now(engine)
    with write_session(engine) as session:
        requeue(session, [])
    analyse_all(engine, Encoded())
    assert (mentions(fitted)[theme], mentions(fitted)[other]) == (8, 8)


def test_a_passage_taken_out_stays_out(fitted: TestClient, engine: sa.Engine) -> None:
    ids = themes(fitted)
    theme, other = ids["hosting"], ids["delays"]
    quote = do(fitted, "GET", f"/{theme}/evidence?from=2026-09-01&to=2026-09-30")["items"][0]["id"]
    assert do(fitted, "DELETE", f"/{theme}/passages/{quote}?preview=true")["effect"]["passages"] == 1
    out = do(fitted, "DELETE", f"/{theme}/passages/{quote}")
    assert (out["kind"], mentions(fitted)[theme]) == ("take_out", 7)
    do(fitted, "DELETE", f"/{theme}/passages/{quote}", expected=404)
    fit_now(engine)
    assert mentions(fitted)[theme] == 7
    moved = do(fitted, "POST", f"/{other}/passages", {"passage_id": quote})
    do(fitted, "POST", f"/changes/{out['id']}/undo", expected=409)
    do(fitted, "POST", f"/changes/{moved['id']}/undo")
    do(fitted, "POST", f"/changes/{out['id']}/undo")
    assert mentions(fitted)[theme] == 8
    do(fitted, "DELETE", f"/{theme}/passages/{quote}")
    with write_session(engine) as session:
        requeue(session, [])
    analyse_all(engine, Encoded())
    assert mentions(fitted) == {**dict.fromkeys(ids.values(), 8), theme: 7}


def test_a_declared_theme_takes_its_passages_at_once(fitted: TestClient, engine: sa.Engine) -> None:
    before = mentions(fitted)
    words = {"name": "renewal clause", "description": "The contract has a tacit renewal clause."}
    seen = do(fitted, "POST", "?preview=true", words)
    assert mentions(fitted) == before
    made = do(fitted, "POST", "", words, 201)
    assert made["effect"] == seen["effect"]
    assert made["effect"]["passages"] == mentions(fitted).get(made["born"], 0)
    fit_now(engine)
    declared = do(fitted, "GET", f"/{made['born']}")
    assert (declared["label"]["en"], declared["declared"], declared["locked"]) == ("renewal clause", True, True)
    assert declared["lifecycle"] != "retired"
    do(fitted, "POST", f"/changes/{made['id']}/undo")
    assert do(fitted, "GET", f"/{made['born']}")["lifecycle"] == "retired"
    assert do(fitted, "POST", "", {"name": "🙂", "description": "🙂"}, 422)["errors"][0]["field"] == "description"


def test_what_can_t_be_is_said(fitted: TestClient) -> None:
    theme = themes(fitted)["hosting"]
    assert do(fitted, "POST", f"/{theme}/merge", {"into": theme}, 422)["errors"][0]["field"] == "into"
    do(fitted, "POST", f"/{theme}/merge", {"into": "theme-99"}, 404)
    do(fitted, "POST", "/theme-99/merge", {"into": theme}, 404)
    do(fitted, "PATCH", f"/{theme}", {}, 422)
    do(fitted, "PATCH", f"/{theme}", {"label": {"en": " "}}, 422)
    do(fitted, "POST", f"/{theme}/passages", {"passage_id": 999_999}, 404)
    do(fitted, "POST", "/changes/99/undo", expected=404)


def test_fits_tree_map_and_unassigned(fitted: TestClient, engine: sa.Engine) -> None:
    places = {t["id"]: (t["x"], t["y"]) for t in do(fitted, "GET", "/map")["themes"]}
    assert len(places) == len(set(places.values())) == 3
    with write_session(engine) as session:
        session.execute(sa.update(PassageTable).where(PassageTable.id == 1).values(theme_id=None))
    assert do(fitted, "GET", "?from=2026-09-01&to=2026-09-30")["unassigned"] == 1
    (left,) = do(fitted, "GET", "/unassigned?from=2026-09-01&to=2026-09-30")["items"]
    assert left["id"] == "1"
    tree = do(fitted, "GET", "/tree")
    assert tree["unassigned"] == 1
    assert sorted(t["id"] for area in tree["areas"] for t in area["themes"]) == sorted(places)
    fit_now(engine)
    assert {t["id"]: (t["x"], t["y"]) for t in do(fitted, "GET", "/map")["themes"]} == places
    last, first = do(fitted, "GET", "/fits")["items"]
    assert (first["trigger"], first["detail"]["born"], last["detail"]["continued"]) == ("hand", 3, 3)
    assert (last["passages"], last["unassigned"]) == (24, 0)
    theme = themes(fitted)["delays"]
    course = do(fitted, "GET", f"/{theme}/series?by=month&split=team&from=2026-09-01&to=2026-09-30")
    assert [(p["value"], p["points"][0]["notes"]) for p in course["parts"]] == [("t", 8)]


def test_a_theme_that_nothing_matches_fades_is_retired_and_its_id_not_given_again(
    fitted: TestClient, engine: sa.Engine
) -> None:
    theme = themes(fitted)["hosting"]
    at = fitted.get("/v1/notes", params={"limit": 200}).json()["items"]
    for one in at:
        if one["external_id"].startswith("hosting"):
            fitted.delete(f"/v1/notes/{one['id']}")
    fit_now(engine)
    fit_now(engine)
    assert do(fitted, "GET", f"/{theme}")["lifecycle"] == "retired"
    assert "retired" in {e["kind"] for e in do(fitted, "GET", f"/{theme}/history")["items"]}
    fitted.post(
        "/v1/notes",
        json={
            "notes": [
                note(f"h{i}", MATTERS["hosting"].format(p), account={"id": f"a{i}"}) for i, p in enumerate(PLACES)
            ]
        },
    )
    analyse_all(engine, Encoded())
    fit_now(engine)
    with write_session(engine) as session:
        keys = list(session.scalars(sa.select(ThemeTable.key).where(ThemeTable.state == "active")))
    assert len(keys) == 3
    assert theme not in keys


@pytest.mark.parametrize(
    ("figures", "due"),
    [((30, 50, 10, 200), True), ((5, 50, 10, 200), False), ((20, 30, 10, 200), False), ((9, 50, 20, 200), False)],
    ids=["worse", "same", "too few", "hardly worse"],
)
def test_drift(figures: tuple[int, int, int, int], due: bool) -> None:
    assert drifted(*figures) is due


def test_a_fit_reads_a_sample_of_many_passages_and_places_them_all(
    fitted: TestClient, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = themes(fitted)
    read: list[int] = []

    def counted(passages: Sequence[ThemePassage], living: Sequence[LivingTheme]) -> ThemeFit:
        read.append(len(passages))
        return fit(passages, living)

    notes = [
        note(f"{matter}-more-{i}", f"{words.format(place)} again", account={"id": f"b{i}"}, author={"id": "r"})
        for matter, words in MATTERS.items()
        for i, place in enumerate(PLACES)
    ]
    assert fitted.post("/v1/notes", json={"notes": notes}).status_code == 202
    analyse_all(engine, Encoded())
    with write_session(engine) as session:  # as if they had come while the fit ran
        session.execute(sa.update(PassageTable).values(theme_id=None, similarity=None))
    monkeypatch.setattr("service.themes.passages.MOST_FITTED", 32)
    monkeypatch.setattr("service.themes.fitting.UPDATE_ROWS", 7)
    monkeypatch.setattr("service.themes.fitting.fit", counted)
    fit_now(engine)
    assert 20 < read[0] < 44, "about two thirds of 48"
    assert mentions(fitted) == dict.fromkeys(ids.values(), 16)
    events = [do(fitted, "GET", f"/{theme}/history")["items"][0] for theme in ids.values()]
    assert [(event["kind"], event["detail"]["size"]) for event in events] == [("matched", 16)] * 3


def test_a_fit_moves_passages_day_by_day(
    fitted: TestClient, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who counts meanwhile reads again what changed: were rows of all days moved together, all days each time."""
    with write_session(engine) as session:  # as if the notes had come in no order
        for row in session.scalars(sa.select(PassageTable)):
            row.occurred_on = date(2026, 1, 1 + row.id % 5)
    with read_session(engine) as session:
        days = {
            row.id: row.day
            for row in session.execute(sa.select(PassageTable.id, PassageTable.occurred_on.label("day")))
        }
    moved: list[int] = []

    def recorded(session: Session, rows: Sequence[tuple[int, int | None, float | None]]) -> None:
        moved.extend(row[0] for row in rows)
        move_passages(session, rows)

    monkeypatch.setattr("service.themes.passages.MOST_FITTED", 16)
    monkeypatch.setattr("service.themes.passages.FEW_DRAWN", 0)
    monkeypatch.setattr("service.themes.fitting.UPDATE_ROWS", 3)
    monkeypatch.setattr("service.themes.fitting.move_passages", recorded)
    fit_now(engine)
    assert sorted(moved) == sorted(days)
    assert 5 < len(list(groupby(moved, key=days.__getitem__))) <= 2 * 5, "those that are drawn, then the others"


def test_a_theme_too_small_to_be_drawn_outlives_fits_of_a_sample(
    fitted: TestClient, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = mentions(fitted)
    monkeypatch.setattr("service.themes.passages.MOST_FITTED", 1)
    for _ in range(3):
        fit_now(engine)
    assert mentions(fitted) == before == dict.fromkeys(themes(fitted).values(), 8)
    assert all(do(fitted, "GET", f"/{theme}")["lifecycle"] != "retired" for theme in before)

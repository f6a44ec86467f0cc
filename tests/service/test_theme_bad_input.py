"""Input of which no themes can be made, and changes that make no sense: a plain answer, and nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from models.types import Analyzer, Catalog, Language, NoteAnalysis, NoteText
from tests.service.test_theme_curation import MATTERS, PERIOD, PLACES, Encoded, do, fit_now, fitted, mentions, themes
from tests.work import analyse_all, note

__all__ = ["fitted"]  # a fixture

COPIES = 10_000
BOUND = 120  # seconds of processor time for a fit; it takes a few
FRENCH = {
    "hosting": "les données des patients doivent être hébergées dans l'Union européenne pour {}",
    "delays": "le délai de livraison des pièces détachées est de douze semaines pour {}",
    "renewal": "la clause de reconduction tacite du contrat gêne l'agence {}",
}
GREETINGS = (
    "Hello Anna,\nthank you for the call. See you on Tuesday at ten.\nBest regards,\nPaul",
    "Bonjour Anne,\nmerci pour l'appel. À mardi, dix heures.\nBien cordialement,\nPaul",
    "Hi all,\nsee you on Thursday at three.\nThanks!",
    "Bonjour à tous,\nrendez-vous jeudi à quinze heures.\nMerci !",
)
MOVED = (
    "Hi all, meeting moved to Thursday 3 pm. Thanks!",
    "Bonjour à tous, la réunion est décalée à jeudi 15 h. Merci !",
)


class Remembering(Encoded):
    """Reads a sentence once, however often it comes."""

    def embed(self, texts: Sequence[str]) -> list[tuple[bytes, bytes]]:
        known = dict(zip(dict.fromkeys(texts), super().embed([*dict.fromkeys(texts)]), strict=True))
        return [known[text] for text in texts]


def taken_in(client: TestClient, engine: sa.Engine, texts: Sequence[str], reader: Analyzer) -> None:
    """Post a note of each text, each of another account; have them read and the themes fitted, in bounded time."""
    notes = [note(f"n{i}", text, account={"id": f"a{i}"}) for i, text in enumerate(texts)]
    if notes:
        assert client.post("/v1/notes", json={"notes": notes}).status_code == 202
    analyse_all(engine, reader)
    started = time.process_time()
    fit_now(engine)
    assert time.process_time() - started < BOUND
    states = [each["state"] for each in client.get("/v1/notes", params={"limit": 200}).json()["items"]]
    assert states == ["done"] * len(texts)


def seen(client: TestClient) -> tuple[int, int, int]:
    """Return the numbers of themes, passages and passages without a theme; every page of themes answers."""
    for path in ("/tree", "/map", "/unassigned", "/changes"):
        do(client, "GET", path)
    listed = client.get("/v1/themes", params=PERIOD).json()
    (last,) = do(client, "GET", "/fits")["items"]
    assert (last["themes"], last["passages"]) == (listed["total"], listed["passages"])
    return listed["total"], listed["passages"], listed["unassigned"]


def test_no_notes_make_no_themes(client: TestClient, engine: sa.Engine) -> None:
    taken_in(client, engine, [], Encoded())
    assert seen(client) == (0, 0, 0)


def test_one_note_makes_no_theme(client: TestClient, engine: sa.Engine) -> None:
    taken_in(client, engine, ["The director finds it too expensive."], Encoded())
    assert seen(client) == (0, 1, 1)
    assert len(do(client, "GET", "/unassigned?from=2026-09-01&to=2026-09-30")["items"]) == 1


def test_ten_thousand_copies_of_one_sentence_are_one_theme_at_most(client: TestClient, engine: sa.Engine) -> None:
    sentence = MATTERS["hosting"].format("north") + ". "
    taken_in(client, engine, [sentence * (COPIES // 10)] * 10, Remembering())
    n_themes, passages, unassigned = seen(client)
    assert (n_themes, passages) in {(0, COPIES), (1, COPIES)}
    assert unassigned == (0 if n_themes else COPIES)


@pytest.mark.parametrize(
    "texts",
    [GREETINGS, MOVED],
    ids=["greetings", "moved"],
)
def test_greetings_and_appointments_make_no_themes(
    client: TestClient, engine: sa.Engine, real_analyzer: Analyzer, texts: Sequence[str]
) -> None:
    taken_in(client, engine, [text for text in texts for _ in range(12)], real_analyzer)
    n_themes, passages, unassigned = seen(client)
    assert (n_themes, passages - unassigned) == (0, 0)


class French(Encoded):
    """Says of every passage that it is French."""

    def analyze(self, notes: Sequence[NoteText], catalog: Catalog) -> list[NoteAnalysis]:
        return [
            replace(
                read,
                language=Language.FR,
                passages=tuple(replace(passage, language=Language.FR) for passage in read.passages),
            )
            for read in super().analyze(notes, catalog)
        ]


@pytest.mark.parametrize(("matters", "reader"), [(MATTERS, Encoded), (FRENCH, French)], ids=["english", "french"])
def test_notes_in_one_language_make_themes_named_in_both(
    client: TestClient, engine: sa.Engine, matters: dict[str, str], reader: type[Encoded]
) -> None:
    taken_in(client, engine, [words.format(place) for words in matters.values() for place in PLACES], reader())
    assert seen(client) == (3, 24, 0)
    labels = [item["label"] for item in client.get("/v1/themes", params=PERIOD).json()["items"]]
    assert all(label["en"] and label["fr"] for label in labels)
    assert all(len({label[language] for label in labels}) == 3 for language in ("en", "fr"))


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/{id}/merge", {"into": "{id}"}, 422, "into"),
        ("/{id}/split", {"passages": []}, 422, "passages"),
        ("/{id}/split", {"passages": "all"}, 409, "no_split"),
        ("", {"name": "Hosting", "description": ""}, 422, "description"),
        ("", {"name": "Hosting", "description": "  \n "}, 422, "description"),
        ("", {"name": "Hosting", "description": "long " * 2_000}, 422, "description"),
        ("", {"name": "", "description": "Where the data is."}, 422, "name"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_and_changes_nothing(
    fitted: TestClient, path: str, body: dict[str, Any], status: int, said: str
) -> None:
    theme, before = themes(fitted)["hosting"], mentions(fitted)
    quotes = do(fitted, "GET", f"/{theme}/evidence?from=2026-09-01&to=2026-09-30")["items"]
    values = {"{id}": theme, "all": [quote["id"] for quote in quotes]}
    filled = {key: values.get(value, value) if isinstance(value, str) else value for key, value in body.items()}
    answer = do(fitted, "POST", path.replace("{id}", theme), filled, status)
    assert said in (answer["code"], *(error["field"] for error in answer.get("errors") or ()))
    assert mentions(fitted) == before
    assert do(fitted, "GET", "/changes")["total"] == 0

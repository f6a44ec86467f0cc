"""Weekly reports that cover several accounts, as reps write them: each account's words become its own note."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from service.imports.accounts import split_by_account
from tests.imports.files import mail

KNOWN = {"Harrow Foods": "h-1", "Ateliers Rivoire": "a-2", "Groupe Mercadal": "g-3", "Norvik": "n-4"}
HABITS = {
    "own lines": ("Harrow Foods\n20% above the other quote.\n\nNORVIK\nNo SAP connector.\n", "Harrow Foods", "Norvik"),
    "colons": (
        "Week 40\n\nHarrow Foods: 20% above the other quote.\nNorvik: no SAP connector.\n",
        "Harrow Foods",
        "Norvik",
    ),
    "dashes": ("* Harrow Foods - 20% above the other quote\n* Norvik – no SAP connector\n", "Harrow Foods", "Norvik"),
    "dates": ("Harrow Foods, 5 October\nThey hesitate.\nNorvik, 6 October\nThey wait.\n", "Harrow Foods", "Norvik"),
    "markdown": ("## Harrow Foods\nToo dear.\n### Next steps\nCall.\n## Norvik\nNo SAP.\n", "Harrow Foods", "Norvik"),
    "visits": (
        "Monday\nCall with Harrow Foods: they hesitate.\nMeeting Norvik: they wait.\n",
        "Harrow Foods",
        "Norvik",
    ),
    "capitales": (
        "ATELIERS RIVOIRE\nTrop cher.\n\nGROUPE MERCADAL\nPas de budget.\n",
        "Ateliers Rivoire",
        "Groupe Mercadal",
    ),
    "deux points": (
        "Semaine 40\nAteliers Rivoire : trop cher, à revoir.\nGroupe Mercadal : pas de connecteur.\n",
        "Ateliers Rivoire",
        "Groupe Mercadal",
    ),
    "minuscules": (
        "- ateliers rivoire : trop cher, veut une remise\n- groupe mercadal : pas de budget\n",
        "Ateliers Rivoire",
        "Groupe Mercadal",
    ),
    "numéros": (
        "1) Ateliers Rivoire (Lyon)\nTrop cher pour eux.\n2) Groupe Mercadal (Toulouse)\nPas de connecteur.\n",
        "Ateliers Rivoire",
        "Groupe Mercadal",
    ),
    "rdv": (
        "RDV chez Ateliers Rivoire : trop cher pour eux.\nAppel Groupe Mercadal : pas de connecteur.\n",
        "Ateliers Rivoire",
        "Groupe Mercadal",
    ),
}


@pytest.mark.parametrize("habit", HABITS)
def test_each_account_has_its_words_and_is_the_one_that_the_crm_knows(client: TestClient, habit: str) -> None:
    seeds = [
        {
            "external_id": key,
            "source": "hubspot",
            "text": "Met them for the first time.",
            "account": {"id": key, "name": name},
        }
        for name, key in KNOWN.items()
    ]
    assert client.post("/v1/notes", json={"notes": seeds}).status_code == 202
    report, *names = HABITS[habit]
    message = bytes(mail(report, Subject="Point hebdo", Message_ID="<week@firm.example>"))
    answer = client.post("/v1/webhooks/mail", content=message, headers={"Content-Type": "message/rfc822"})
    assert answer.status_code == 202, answer.text
    assert answer.json()["results"] == {"created": 2}
    items = client.get("/v1/notes?source=mail").json()["items"]
    notes = [client.get(f"/v1/notes/{item['id']}").json() for item in items]
    assert {note["account"]["id"] for note in notes} == {KNOWN[name] for name in names}
    first = next(note for note in notes if note["account"]["id"] == KNOWN[names[0]])
    second = next(note for note in notes if note is not first)
    end = report.strip(" .\n").split()[-1]
    assert end in second["text"]
    assert end not in first["text"]
    assert all(note["kind"] == "weekly_report" for note in notes)


def parts(text: str) -> list[tuple[str | None, str]]:
    known = {name.casefold() for name in KNOWN}
    return [(part.account, part.text) for part in split_by_account(text, lambda name: name.casefold() in known)]


def test_what_a_report_says_of_an_unknown_account_is_not_told_of_the_one_above() -> None:
    report = "Norvik: dear.\nDanone: they wait for 2027's budget.\nObjections: price\nHarrow Foods: no.\nFreins : prix"
    assert parts(report) == [
        ("Norvik", "dear."),
        (None, "Danone: they wait for 2027's budget.\nObjections: price"),
        ("Harrow Foods", "no.\nFreins : prix"),
    ]


def test_a_line_about_another_account_does_not_take_a_note_over() -> None:
    text = "Met Aubry in Lyon, who find us too dear and wait for the budget.\nNorvik: reference call to organise."
    assert parts(text) == [(None, text)]
    assert parts("Met Harrow Foods on Monday. On Tuesday saw Norvik: no SAP.")[0][0] is None, "prose is not parted"


def test_an_account_told_by_name_is_the_one_with_an_id_unless_two_have_the_name(client: TestClient) -> None:
    def post(external_id: str, **account: str) -> str:
        item = {"external_id": external_id, "text": "Met them for the first time.", "account": account}
        assert client.post("/v1/notes", json=item).status_code == 202
        (listed,) = client.get(f"/v1/notes?external_id={external_id}").json()["items"]
        return str(listed["account"]["id"] or listed["account"]["name"])

    assert post("1", name="Aubry") == "name:aubry"
    assert post("2", id="a-1", name="Aubry") == "a-1"
    assert post("3", name="AUBRY ", segment="retail") == "a-1"
    assert client.get("/v1/notes/3").json()["account"] == {"id": "a-1", "name": "Aubry", "segment": "retail"}
    assert post("4", id="a-2", name="aubry") == "a-2"
    assert post("5", name="Aubry") == "name:aubry", "which of the two is not told"

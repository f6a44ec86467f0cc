"""Files over HTTP: taken in, previewed, refused in part, mended, sent again."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.auth.queries import create_key
from service.auth.scopes import Scope
from service.database import write_session
from service.imports.running import ImportFiles
from service.jobs.queries import claim_jobs
from service.source_tables import ImportRefusalTable
from service.tables import NoteTable
from tests.analyzers import FakeAnalyzer
from tests.imports.files import FRENCH_CSV, archive, mail, pdf, word, workbook
from tests.work import wait_until, worker_running


def post(
    client: TestClient, content: bytes, name: str = "notes.csv", status: int = 202, **fields: Any
) -> dict[str, Any]:
    response = client.post("/v1/imports", files={"file": (name, content)}, data=fields)
    assert response.status_code == status, response.text
    return response.json()


def texts(client: TestClient) -> list[str]:
    items = client.get("/v1/notes?limit=200").json()["items"]
    return sorted(client.get(f"/v1/notes/{item['id']}").json()["text"] for item in items)


def run_jobs(engine: sa.Engine) -> None:
    with write_session(engine) as session:
        ids = [job.id for job in claim_jobs(session)]
    for job_id in ids:
        ImportFiles(engine).run(job_id)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "mac_roman"])
def test_french_csv_in_every_encoding(client: TestClient, encoding: str) -> None:
    answer = post(client, FRENCH_CSV.encode(encoding))
    assert (answer["state"], answer["results"]["created"], answer["refused"]) == ("done", 2, [])
    assert (answer["found"]["separator"], answer["found"]["dates"]["proven"]) == ("semicolon", True)
    items = client.get("/v1/notes").json()["items"]
    note = client.get(f"/v1/notes/{items[1]['id']}").json()
    assert note["text"] == "Trop cher,\ndit-elle – à revoir."
    assert note["occurred_at"] == "2026-02-03T00:00:00Z"
    assert note["account"]["name"] == "Harrow Foods"
    assert note["author"] == {"id": "R. Marchetti", "name": "R. Marchetti", "team": "Nord"}
    deal = note["deal"]
    assert (deal["amount"], deal["currency"], deal["stage"], deal["outcome"]) == (18000, "EUR", "Proposition", "lost")


def test_whole_body_is_a_file_too(client: TestClient) -> None:
    headers = {"Content-Type": "application/pdf", "Content-Disposition": 'attachment; filename="../../x/visite.txt"'}
    response = client.post("/v1/imports", content=b"Le client trouve cela trop cher.", headers=headers)
    assert response.status_code == 202
    answer = response.json()
    assert (answer["format"], answer["name"], answer["results"]["created"]) == ("text", "visite.txt", 1)
    assert texts(client) == ["Le client trouve cela trop cher."]


def test_the_same_file_again_is_a_duplicate(client: TestClient) -> None:
    first = post(client, FRENCH_CSV.encode())
    again = post(client, FRENCH_CSV.encode(), name="renamed.xlsx", status=200)
    assert (again["duplicate"], again["id"], again["results"]["created"]) == (True, first["id"], 2)
    other = post(client, FRENCH_CSV.encode("cp1252"))
    assert (other["duplicate"], other["results"]["unchanged"]) == (False, 2)
    assert client.get("/v1/imports").json()["total"] == 2
    assert client.get("/v1/notes").json()["total"] == 2


def test_refused_rows_are_mended_and_sent_again(client: TestClient) -> None:
    content = (
        "Ref;Date;Client;Note;Montant\n"
        "V-1;03/02/2026;Harrow;Trop cher.;12 k€\n"
        "V-2;31/02/2026;Harrow;=Pas de mode hors ligne.;\n"
        "V-3;04/02/2026;Harrow;;\n"
        "V-4;05/02/2026;Harrow;Ok.;beaucoup\n"
    )
    answer = post(client, content.encode())
    assert [answer["results"][name] for name in ("created", "rejected", "warned")] == [2, 2, 1]
    assert [(r["row"], r["field"], r["external_id"], r["taken"]) for r in answer["refused"]] == [
        (3, "occurred_at", "V-2", False),
        (4, "text", "V-3", False),
        (5, "deal.amount", "V-4", True),
    ]
    assert answer["refused"][0]["cells"]["Date"] == "31/02/2026"
    page = client.get(f"/v1/imports/{answer['id']}/refused?limit=2").json()
    rest = client.get(f"/v1/imports/{answer['id']}/refused?limit=2&cursor={page['next']}").json()
    assert [r["row"] for r in page["items"] + rest["items"]] == [3, 4, 5]
    assert (page["total"], rest["next"]) == (3, None)

    download = client.get(f"/v1/imports/{answer['id']}/refused.csv")
    assert download.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(download.content.decode("utf-8-sig")), delimiter=";"))
    assert download.text.startswith("\ufeffRef;Date;")
    assert rows[0]["Note"] == "'=Pas de mode hors ligne."
    assert (rows[0]["binome_row"], rows[0]["binome_field"]) == ("3", "occurred_at")
    rows[0]["Date"], rows[1]["Note"], rows[2]["Montant"] = "28/02/2026", "Rappeler.", "5 k€"
    mended = io.StringIO()
    writer = csv.DictWriter(mended, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    again = post(client, mended.getvalue().encode("utf-8-sig"))
    assert {name: count for name, count in again["results"].items() if count} == {"created": 2, "updated": 1}
    post(client, mended.getvalue().encode())
    assert texts(client) == ["=Pas de mode hors ligne.", "Ok.", "Rappeler.", "Trop cher."]


def test_what_was_said_of_columns_comes_back_with_the_mended_rows(client: TestClient) -> None:
    content = (
        "Jour;Pour qui;Texte libre;Budget\n"
        "03/02/2026;Harrow;Trop cher.;12\n"
        "99/02/2026;Norvik;Trop lent.;5\n"
        "05/02/2026;Aubry;;7\n"
    )
    mapping = {"Pour qui": "account.name", "Texte libre": "text", "Budget": None}
    answer = post(client, content.encode(), mapping=json.dumps(mapping))
    assert (answer["results"]["created"], answer["results"]["rejected"]) == (1, 2)
    download = client.get(f"/v1/imports/{answer['id']}/refused.csv").content.decode("utf-8-sig")
    names = "Jour;Pour qui [account.name];Texte libre [text];Budget [-];binome_row"
    assert download.startswith(names)
    mended = download.replace("99/02/2026", "04/02/2026").replace("Aubry;;", "Aubry;Rappeler.;")
    again = post(client, mended.encode())
    assert (again["results"]["created"], again["results"]["rejected"]) == (2, 0)
    fields = {one["column"]: one["field"] for one in again["found"]["columns"]}
    assert (fields["Texte libre [text]"], fields["Budget [-]"]) == ("text", None)
    assert texts(client) == ["Rappeler.", "Trop cher.", "Trop lent."]


def test_preview_stores_nothing(client: TestClient) -> None:
    content = "When,Kunde,Comments,Budget note\n03/02/2026,Harrow,Too expensive.,x\n04/05/2026,Harrow,,y\n"
    response = client.post("/v1/imports?preview=true", files={"file": ("a.csv", content)})
    assert response.status_code == 200
    preview = response.json()
    assert {c["column"]: c["field"] for c in preview["found"]["columns"]} == {
        "When": "occurred_at",
        "Kunde": None,
        "Comments": "text",
        "Budget note": None,
    }
    assert preview["rows"][0]["note"]["occurred_at"].startswith("2026-02-03")
    assert preview["rows"][1]["error"]["field"] == "text"
    said = " ".join(preview["problems"])
    assert all(word in said for word in ("'Kunde'", "day first", "account", "1 of the first 2"))
    mapped = post(
        client,
        content.encode(),
        status=200,
        preview="true",
        dates="month_first",
        mapping=json.dumps({"Kunde": "account.name", "Budget note": "text", "Comments": "title"}),
        defaults=json.dumps({"kind": "visit_report", "deal": {"id": "d-1"}}),
        source="sheet",
    )
    (note, other) = [row["note"] for row in mapped["rows"]]
    assert (note["occurred_at"][:10], note["account"]["name"], note["text"]) == (
        "2026-03-02",
        "Harrow",
        "Too expensive.\n\nx",
    )
    assert (other["text"], other["kind"], other["source"], other["deal"]["id"]) == ("y", "visit_report", "sheet", "d-1")
    assert client.get("/v1/notes").json()["total"] == client.get("/v1/imports").json()["total"] == 0


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"mapping": "{"}, "mapping"),
        ({"mapping": "[]"}, "mapping"),
        ({"mapping": '{"a": "colour"}'}, "mapping"),
        ({"mapping": '{"a": "kind", "b": "kind"}'}, "mapping"),
        ({"dates": "year_first"}, "dates"),
        ({"preview": "maybe"}, "preview"),
        ({"defaults": "5"}, "defaults"),
        ({"defaults": '{"text": "x"}'}, "defaults.text"),
        ({"defaults": '{"kind": "sms"}'}, "defaults.kind"),
        ({"source": "x" * 600}, "source"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_fields_are_named(client: TestClient, fields: dict[str, str], field: str) -> None:
    answer = post(client, b"note\nx\n", status=422, **fields)
    assert answer["errors"][0]["field"] == field


REFUSED = [
    ("empty", b"", "empty"),
    ("blank", b" \r\n", "empty"),
    ("scan", pdf(), "scan_without_text"),
    ("encrypted pdf", pdf("Too expensive", password="pw"), "encrypted"),
    ("broken pdf", b"%PDF-1.7\nnothing", "damaged"),
    ("old office", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "unknown_format"),
    ("picture", b"\x89PNG\r\n\x1a\n" + bytes(500), "unknown_format"),
    ("noise", bytes(range(256)) * 40, "unknown_format"),
    ("xml", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "unknown_format"),
    ("cut zip", archive({"a.txt": b"x" * 5000})[:-30], "damaged"),
    ("cut xlsx", workbook(["note"], ["x"])[:-30], "damaged"),
    ("no text column", b"Colour;Size\nred;5\nblue;6\ngreen;7\n", "no_text_column"),
    ("no text column in xlsx", workbook(["Colour", "Size"], ["red", 5]), "no_text_column"),
    ("empty docx", word(""), "no_text"),
    ("deep json", b"[" * 100_000, "invalid_json"),
    ("words in zip only", archive({}), "empty"),
]


@pytest.mark.parametrize(("content", "code"), [(c, code) for _, c, code in REFUSED], ids=[n for n, _, _ in REFUSED])
def test_files_that_cannot_be_read_say_why(client: TestClient, content: bytes, code: str) -> None:
    answer = post(client, content, status=422)
    assert (answer["code"], answer["errors"][0]["field"]) == (code, "file")
    assert len(answer["detail"]) > 10
    assert client.get("/v1/imports").json()["total"] == 0


def test_forms_that_are_none(client: TestClient) -> None:
    broken = {"Content-Type": "multipart/form-data"}
    assert client.post("/v1/imports", content=b"x", headers=broken).status_code == 400
    broken = {"Content-Type": "multipart/form-data; boundary=b"}
    assert client.post("/v1/imports", content=b"--b\r\nnonsense", headers=broken).status_code in {400, 422}
    header = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="\xff\xfe.csv"\r\n\r\nnote\r\nx\r\n--b--\r\n'
    )
    assert client.post("/v1/imports", content=header, headers=broken).status_code < 500
    text = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nnote\r\n--b--\r\n'
    assert client.post("/v1/imports", content=text, headers=broken).status_code == 422
    assert client.post("/v1/imports", files={"other": ("a.txt", b"They find it dear.")}).status_code == 202


def test_over_the_limit_is_413_and_leaves_nothing(client: TestClient, tmp_path: Path) -> None:
    response = client.post("/v1/imports", content=(b"x" * 1024 * 1024 for _ in range(33)))
    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert list((tmp_path / "imports").iterdir()) == []


def test_rights(client: TestClient, engine: sa.Engine) -> None:
    with write_session(engine) as session:
        _, secret = create_key(session, name="reader", scopes=[Scope.READ], now=datetime.now(UTC))
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.post("/v1/imports", content=b"x", headers=headers).status_code == 403
    assert client.get("/v1/imports", headers=headers).status_code == 200
    assert client.get("/v1/exports/refused?id=77").status_code == 404
    assert client.get("/v1/imports/77").status_code == client.get("/v1/imports/77/refused.csv").status_code == 404


def many_rows(count: int) -> bytes:
    lines = [
        f"V-{i};{'31/02/2026' if i % 100 == 7 else '03/02/2026'};Harrow;Appel {i}: trop cher.\n" for i in range(count)
    ]
    return ("Ref;Date;Client;Note\n" + "".join(lines)).encode()


def test_a_large_file_is_worked_off_by_a_worker(
    client: TestClient, engine: sa.Engine, database_url: str, analyzer: FakeAnalyzer, tmp_path: Path
) -> None:
    answer = post(client, many_rows(3_000))
    assert (answer["state"], answer["records"]) == ("waiting", 0)
    assert client.get(f"/v1/jobs/{answer['job_id']}").json()["kind"] == "import_file"
    again = post(client, many_rows(3_000), status=200)
    assert (again["duplicate"], again["id"]) == (True, answer["id"])
    path = f"/v1/imports/{answer['id']}"
    with worker_running(engine, database_url, analyzer):
        wait_until(lambda: client.get(path).json()["state"] == "done", 60)
    done = client.get(path).json()
    assert (done["results"]["created"], done["results"]["rejected"], done["records"]) == (2_970, 30, 3_000)
    assert (done["bytes_read"], len(done["refused"]), done["refused"][0]["row"]) == (done["size"], 30, 9)
    assert list((tmp_path / "imports").iterdir()) == []


class Killed(BaseException):
    """The process dies."""


def test_a_killed_import_goes_on_where_it_stood(
    client: TestClient, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.imports import running

    answer = post(client, many_rows(3_000))
    with write_session(engine) as session:
        (job_id,) = [job.id for job in claim_jobs(session)]
    saved = running.save_batch
    count = 0

    def dies(*arguments: Any) -> None:
        nonlocal count
        count += 1
        saved(*arguments)
        if count in {3, 5}:  # after writing, before the commit
            raise Killed

    monkeypatch.setattr(running, "save_batch", dies)
    for _ in range(2):
        with pytest.raises(Killed):
            ImportFiles(engine).run(job_id)
        half = client.get(f"/v1/imports/{answer['id']}").json()
        assert (half["state"], 0 < half["records"] < 3_000) == ("running", True)
    ImportFiles(engine).run(job_id)
    ImportFiles(engine).run(job_id)
    done = client.get(f"/v1/imports/{answer['id']}").json()
    assert (done["state"], done["records"], done["results"]["created"]) == ("done", 3_000, 2_970)
    assert (done["results"]["unchanged"], done["results"]["rejected"]) == (0, 30)
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(NoteTable)) == 2_970
        assert connection.scalar(sa.select(sa.func.count()).select_from(ImportRefusalTable)) == 30


def test_a_file_that_is_gone_or_breaks_off_says_so(client: TestClient, engine: sa.Engine, tmp_path: Path) -> None:
    answer = post(client, many_rows(12_000))
    for file in (tmp_path / "imports").iterdir():
        file.unlink()
    run_jobs(engine)
    failed = client.get(f"/v1/imports/{answer['id']}").json()
    assert (failed["state"], failed["failure"]["code"]) == ("failed", "file_gone")
    again = post(client, many_rows(12_000))
    assert (again["duplicate"], again["state"]) == (False, "waiting")


def test_archive_reads_each_file_and_names_it(client: TestClient) -> None:
    members = {
        "visits/feb.csv": FRENCH_CSV.encode("cp1252"),
        "report.docx": word("Client : Aubry Frères", table=[["Prix", "Trop cher"]]),
        "mail.eml": bytes(mail()),
        "../evil.txt": b"x",
        "inner.zip": archive({"a.txt": b"x"}),
        "__MACOSX/._feb.csv": b"\x00\x05",
        "scan.pdf": pdf(),
    }
    answer = post(client, archive(members), name="all.zip")
    assert (answer["format"], answer["results"]["created"]) == ("zip", 4)
    assert {(r["file"], r["code"]) for r in answer["refused"]} == {
        ("../evil.txt", "unsafe_name"),
        ("inner.zip", "nested_archive"),
        ("scan.pdf", "scan_without_text"),
    }


def mended(client: TestClient, import_id: str, old: str, new: str) -> dict[str, Any]:
    """Download what was refused, mend it, and send it in again."""
    download = client.get(f"/v1/imports/{import_id}/refused.csv").content.decode("utf-8-sig")
    assert old in download
    return post(client, download.replace(old, new).encode())


def test_a_mended_row_keeps_the_day_that_its_file_meant(client: TestClient) -> None:
    answer = post(client, b"Date,Client,Note,kind\n3/14/2026,Harrow,One.,call\n3/2/2026,Aubry,Two.,lots\n")
    assert mended(client, answer["id"], "lots", "call")["results"]["created"] == 1
    days = {item["occurred_at"][:10] for item in client.get("/v1/notes").json()["items"]}
    assert days == {"2026-03-14", "2026-03-02"}


def test_mended_rows_of_sheets_with_other_columns_keep_all_fields(client: TestClient) -> None:
    first = [["Date", "Client", "Commentaire", "Montant", "kind"], ["2026-02-03", "Harrow", "Cher.", "500", "lots"]]
    second = [["kind", "Jour", "Société", "Compte rendu", "Budget"], ["lots", "2026-03-04", "Aubry", "Lent.", "500"]]
    answer = post(client, workbook(*first, Mars=second))
    assert answer["results"]["rejected"] == 2
    assert mended(client, answer["id"], "lots", "call")["results"]["created"] == 2
    notes = [client.get(f"/v1/notes/{item['id']}").json() for item in client.get("/v1/notes").json()["items"]]
    assert sorted((n["text"], n["account"]["name"], n["occurred_at"][:10], n["deal"]["amount"]) for n in notes) == [
        ("Cher.", "Harrow", "2026-02-03", 500),
        ("Lent.", "Aubry", "2026-03-04", 500),
    ]


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_rows_taken_but_for_a_cell_become_the_same_note_when_mended(client: TestClient, lang: str) -> None:
    content = (
        "Date,Client,Affaire,Montant,Devise,Note\n3/2/2026 14:30,Aubry,d1,lots,shells,Too dear.\n3/2/2026,Aubry,,,,\n"
    )
    answer = post(client, content.encode())
    assert [answer["results"][name] for name in ("created", "rejected", "warned")] == [1, 1, 1]
    download = client.get(f"/v1/imports/{answer['id']}/refused.csv?lang={lang}").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(download), delimiter=";" if lang == "fr" else ","))
    assert [row["Date"] for row in rows] == ["2026-02-03T14:30:00+00:00", "2026-02-03T00:00:00+00:00"]
    assert rows[0]["binome_field"] == "deal.amount, deal.currency"
    assert rows[1]["binome_reason"].split()[:2] == (["le", "texte"] if lang == "fr" else ["text", "is"])
    assert [bool(row["external_id"]) for row in rows] == [True, False]
    seen = client.get("/v1/exports/refused", params={"id": answer["id"], "format": "json", "lang": lang}).json()
    assert [(row["row"], row["field"]) for row in seen] == [(2, "deal.amount"), (2, "deal.currency"), (3, "text")]
    assert seen[2]["message"].split()[:2] == (["le", "texte"] if lang == "fr" else ["text", "is"])
    assert ("Montant : lots" if lang == "fr" else "Montant: lots") in seen[0]["cells"]
    again = post(client, download.replace("lots", "500").replace("shells", "EUR").encode())
    assert {name: count for name, count in again["results"].items() if count} == {"updated": 1, "rejected": 1}
    (item,) = client.get("/v1/notes").json()["items"]
    assert (item["deal"]["amount"], item["occurred_at"]) == (500, "2026-02-03T14:30:00Z")


def test_a_row_with_a_broken_quote_is_mended_like_any_other(client: TestClient) -> None:
    answer = post(client, b'Client;Note\nHarrow;"No" she says\nAubry;Slow.\n')
    assert (answer["results"]["created"], answer["refused"][0]["row"]) == (1, 2)
    assert mended(client, answer["id"], "No she", "'No' she")["results"]["created"] == 1
    assert texts(client) == ["'No' she says", "Slow."]


def test_speakers_who_write_notes_are_told_as_our_own_people(client: TestClient) -> None:
    author = {"id": "rep-7", "name": "Ann Lee"}
    client.post("/v1/notes", json={"external_id": "1", "text": "A first visit.", "author": author})
    vtt = (
        "WEBVTT\n\n00:00.000 --> 00:02.000\n<v Ann Lee>We are 20% above the other quote.\n\n"
        "00:02.000 --> 00:04.000\n<v Bo Wray>It is too expensive.\n\n00:04.000 --> 00:05.000\n<v Cy Moss>I see.\n"
    )
    post(client, vtt.encode(), name="call.vtt", defaults='{"author": {"id": "rep-9", "name": "Cy Moss"}}')
    assert "Rep: We are 20% above the other quote.\nBo Wray: It is too expensive.\nRep: I see." in texts(client)

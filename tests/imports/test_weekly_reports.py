"""Weekly reports that cover several accounts, as reps write them: each account's words become its own note."""

from __future__ import annotations

import io
from email.message import EmailMessage

import docx
import pytest
from fastapi.testclient import TestClient

from service.imports.accounts import split_by_account
from service.imports.documents import docx_text
from service.notes.text import html_text
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
    assert client.get("/v1/notes/1").json()["account"]["id"] == "a-1", "named before its id was known"
    assert post("4", id="a-2", name="aubry") == "a-2"
    assert post("5", name="Aubry") == "name:aubry", "which of the two is not told"


UNKNOWN = {
    "own lines": "Harrow Foods\n- Too dear.\n\nDanone\n- They wait for a budget.\n\nNorvik\n- No SAP.\n",
    "paragraphs": "Harrow Foods\n\nToo dear.\n\nDanone\n\nThey wait for a budget.\n\nNorvik\n\nNo SAP.\n",
    "numbers": "1. Harrow Foods\n- Too dear.\n2. Danone\n- They wait for a budget.\n3. Norvik\n- No SAP.\n",
    "titles": "## Harrow Foods\nToo dear.\n### Next\nCall.\n## Danone\nThey wait for a budget.\n## Norvik\nNo SAP.",
    "lists": "- Harrow Foods\n  - Too dear\n- Danone\n  - They wait for a budget\n- Norvik\n  - No SAP\n",
    "capitals": "HARROW FOODS\nToo dear.\nDANONE\nThey wait for a budget.\nNORVIK\nNo SAP.\n",
    "amounts": "Harrow Foods (20 k€)\nToo dear\nDanone (15 k€)\nThey wait for a budget\nNorvik (9 k€)\nNo SAP\n",
    "underlined": "Harrow Foods\n-----\nToo dear\n\nDanone\n-----\nThey wait for a budget\n\nNorvik\n-----\nNo SAP\n",
    "colours": "🔴 Harrow Foods : too dear\n🟠 Danone : they wait for a budget\n🟢 Norvik : no SAP\n",
    "first": "Danone\n- They wait for a budget.\n\nHarrow Foods\n- Too dear.\n\nNorvik\n- No SAP.\n",
}


@pytest.mark.parametrize("habit", UNKNOWN)
def test_whom_nobody_knows_has_a_part_of_his_own_where_he_stands_as_the_others_do(habit: str) -> None:
    told = parts(UNKNOWN[habit])
    assert {name: text for name, text in told if name and "budget" in text} == {}
    assert [name for name, text in told if "dear" in text.casefold()] == ["Harrow Foods".upper()] * (
        habit == "capitals"
    ) + ["Harrow Foods"] * (habit != "capitals")
    assert [name for name, text in told if "budget" in text] == [None]


ONE_LINE = {
    "This week I saw Harrow Foods in London:\n- Too dear.\n- No SAP.\nThen Norvik called.\n- They sign.\n": (
        "Harrow Foods",
        "Norvik",
    ),
    "Deal: Rollout 2027 (Harrow Foods)\n- Too dear\nDeal: Link - Norvik\n- They sign": ("Harrow Foods", "Norvik"),
    "Client : Harrow Foods – too dear\nClient : Norvik, visite du 12/10\n- They sign": ("Harrow Foods", "Norvik"),
    "Harrow Foods Ltd\n- Too dear.\nNorvik AS - visit\n- They sign.\n": ("Harrow Foods", "Norvik"),
    "Harrow Foods (London)\nPresent: Ann, Bo\nToo dear, they say.\n\nNorvik\nThey sign.": ("Harrow Foods", "Norvik"),
}


@pytest.mark.parametrize("report", ONE_LINE)
def test_an_account_is_told_by_the_line_before_its_list(report: str) -> None:
    told = {name: text.casefold() for name, text in parts(report)}
    first, second = ONE_LINE[report]
    assert set(told) == {first, second}
    assert "too dear" in told[first]
    assert "they sign" in told[second]
    assert "sign" not in told[first]


PLANS = {
    "below a space": "Harrow Foods\n- Too dear.\n\nNorvik\n- No SAP.\n\nNext week\n- Fair in Lyon.\n",
    "as headings": "## Harrow Foods\nToo dear.\n## Norvik\nNo SAP.\n## Next week's plans\nFair in Lyon.\n",
    "capitals": "HARROW FOODS\nToo dear.\nNORVIK\nNo SAP.\nNEXT WEEK:\nFair in Lyon.\n",
    "inline": "Harrow Foods: too dear.\nNorvik: no SAP.\nNext week: fair in Lyon.\n",
    "bold": "**Harrow Foods**\nToo dear.\n**Norvik**\nNo SAP.\n**Plan for the coming week (W42)**\nFair in Lyon.\n",
    "semaine": "Harrow Foods\nToo dear.\n\nNorvik\nNo SAP.\n\nSemaine prochaine (S42) :\nFair in Lyon.\n",
    "en ligne": "- Harrow Foods : too dear\n- Norvik : no SAP\n- Semaine prochaine : fair in Lyon\n",
    "agenda": "1. Harrow Foods\nToo dear.\n2. Norvik\nNo SAP.\n3. Agenda de la semaine à venir\nFair in Lyon.\n",
    "between": "Harrow Foods\nToo dear.\n\nSemaine à venir\nFair in Lyon.\n\nNorvik\nNo SAP.\n",
}


@pytest.mark.parametrize("habit", PLANS)
def test_plans_for_the_week_to_come_are_not_told_of_the_account_above(habit: str) -> None:
    told = {name and name.title(): text.casefold() for name, text in parts(PLANS[habit])}
    assert [name for name, text in told.items() if "lyon" in text] == [None]
    assert [name for name, text in told.items() if "dear" in text] == ["Harrow Foods"]
    assert [name for name, text in told.items() if "no sap" in text] == ["Norvik"]


def test_plans_of_each_account_and_what_was_planned_with_one_stay_its_own() -> None:
    for report in (
        "Harrow Foods\nToo dear.\nNext week: call.\n\nNorvik\nNo SAP.\nNext week: demo.\n",
        "## Harrow Foods\nToo dear.\n### Next week\nCall.\n## Norvik\nNo SAP.\n",
        "Harrow Foods\n- Too dear.\n- Next week: call.\n\nNorvik\n- No SAP.\n",
        "Harrow Foods\nToo dear.\n\nNext week they decide with their board.\n\nNorvik\nNo SAP.\n",
        "Harrow Foods\nToo dear.\n\nNext steps\nCall.\n\nNorvik\nNo SAP.\n",
    ):
        assert [name for name, _ in parts(report)] == ["Harrow Foods", "Norvik"], report


def test_names_within_a_part_s_own_lines_do_not_end_it() -> None:
    for below in (
        "Marie Durand\n- Too dear.",
        "\nMarie Durand\n\nToo dear.",
        "- SAP\n- Price",
        "Next steps\n- Call.",
        "Norvik is their reference.",
    ):
        report = f"Harrow Foods\n{below}\n\nAteliers Rivoire\n- No budget."
        assert [name for name, _ in parts(report)] == ["Harrow Foods", "Ateliers Rivoire"], below
    told = parts("Harrow Foods\n- They asked Norvik and Groupe Mercadal:\n  - no SAP\n\nAteliers Rivoire\n- No.")
    assert [name for name, _ in told] == ["Harrow Foods"], "a list item, and words too few for a note"


TITLES = {
    "headings": "<h2>{}</h2><p>{}</p>",
    "bold paragraphs": "<p><b>{}</b></p><p>{}</p>",
    "bold lines": "<div><strong>{}</strong><br>{}<br></div>",
    "Outlook": "<p class=MsoNormal><b><span lang=EN>{}<o:p></o:p></span></b></p><p class=MsoNormal>{}</p>",
    "Gmail": '<div><span style="x"><b>{}</b></span></div><div>{}</div>',
    "lists": "<h3>{}</h3><ul><li>{}</li></ul>",
    "cells": "<table><tr><td><b>{}</b></td></tr><tr><td>{}</td></tr></table>",
}


@pytest.mark.parametrize("habit", TITLES)
def test_titles_of_a_mail_in_html_part_it_also_where_nobody_knows_whom_they_name(
    client: TestClient, habit: str
) -> None:
    known = [
        {"external_id": name, "text": "Met them.", "account": {"id": KNOWN[name], "name": name}}
        for name in ("Harrow Foods", "Norvik")
    ]
    assert client.post("/v1/notes", json={"notes": known}).status_code == 202
    said = (
        ("Harrow Foods", "Too dear."),
        ("Danone", "They wait for a budget."),
        ("Norvik", "No SAP."),
        (
            "Semaine prochaine",
            "Fair in Lyon.",
        ),
    )
    body = "<html><body><p>Hello,</p>" + "".join(TITLES[habit].format(*one) for one in said) + "</body></html>"
    message = EmailMessage()
    message["From"], message["Subject"], message["Message-ID"] = "ann@firm.example", "Week 40", "<w40@firm.example>"
    message.set_content(body, subtype="html")
    answer = client.post("/v1/webhooks/mail", content=bytes(message), headers={"Content-Type": "message/rfc822"})
    assert answer.status_code == 202, answer.text
    items = client.get("/v1/notes?source=mail").json()["items"]
    notes = [client.get(f"/v1/notes/{item['id']}").json() for item in items]
    told = {note["account"] and note["account"]["id"]: note["text"] for note in notes}
    assert set(told) == {None, "h-1", "n-4"}
    assert [key for key, text in told.items() if "dear" in text] == ["h-1"]
    assert [key for key, text in told.items() if "SAP" in text] == ["n-4"]
    assert [key for key, text in told.items() if "budget" in text or "Lyon" in text] == [None]


def test_bold_words_within_a_line_are_no_title() -> None:
    html = "<p>They <b>really</b> like it</p><p><b>But</b> the price</p><p>x</p><p><b></b></p><p>y</p>"
    assert html_text(html, titles=True) == html_text(html)


def test_titles_of_a_word_document_part_it_also_where_their_style_is_all_that_tells_them() -> None:
    document = docx.Document()
    for name, words in (("Harrow Foods", "Too dear."), ("Danone", "They wait for a budget."), ("Norvik", "No SAP.")):
        document.add_heading(name, level=2)
        document.add_paragraph(words)
    buffer = io.BytesIO()
    document.save(buffer)
    assert parts(docx_text(buffer)) == [
        ("Harrow Foods", "Too dear."),
        (None, "Danone\nThey wait for a budget."),
        ("Norvik", "No SAP."),
    ]

"""Mail: own words, who, when, what is attached; machines are skipped; bounds hold."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from service.imports.mail import MailRefused, Skipped, read_message
from service.imports.mail_text import own_words
from tests.imports.files import FRENCH_CSV, archive, mail, notes_of, pdf, read, word


def test_a_message_is_read() -> None:
    message = read_message(bytes(mail("Trop cher – 20 % de plus.")))
    assert (message.external_id, message.sender, message.sender_name) == (
        "m-1@clavance.example",
        "rep@clavance.example",
        "R. Marchetti",
    )
    assert message.sent_at is not None
    assert (message.sent_at.isoformat(), message.text) == ("2026-09-14T10:20:00+02:00", "Trop cher – 20 % de plus.")
    (note,) = notes_of(bytes(mail()))
    assert (note.source, note.external_id, note.kind) == ("mail", "m-1@clavance.example", "email")
    assert note.text == "Harrow Foods\n\nThey find it too expensive."


def test_without_id_the_content_names_it() -> None:
    one, same, other = (bytes(mail(text, Message_ID="")) for text in ("a", "a", "b"))
    ids = [read_message(raw).external_id for raw in (one, same, other)]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0].startswith("sha256-")


REPLIES = [
    ("Ok.\n\nOn Mon, 14 Sep 2026 at 10:20, Ann <ann@x.example> wrote:\n> old\n> text\n", "Ok."),
    ("Ok.\n\nLe lun. 14 sept. 2026 à 10:20, Ann Lee\n<ann@x.example> a écrit :\n> vieux\n", "Ok."),
    ("Ok.\n\n-----Original Message-----\nFrom: Ann\nSent: Monday\nTo: Bob\nSubject: x\n\nold", "Ok."),
    ("Ok.\n\n________________________________\nDe : Ann\nEnvoyé : lundi\nÀ : Bob\nObjet : x\n\nvieux", "Ok."),
    ("Ok.\n\nFrom: Ann\nSent: Monday\nTo: Bob\nSubject: x\n\nold", "Ok."),
    ("On Mon, Ann wrote:\n> Price?\n\nToo high.\n", "Too high."),
    ("Ok.\n-- \nR. Marchetti\n+33 1 23", "Ok."),
    ("Ok.\n\nBest regards,\nRene\nSales\n", "Ok."),
    ("Ok.\n\nCordialement,\n\nRené Marchetti\nClavance", "Ok."),
    ("Ok.\n\nSent from my iPhone", "Ok."),
    (
        "Thanks\n\nThey will not sign before June. The price is too high.",
        "Thanks\n\nThey will not sign before June. The price is too high.",
    ),
    ("From: the budget is gone. We wait.", "From: the budget is gone. We wait."),
    ("Le client a écrit : trop cher.\nOn en parle.", "Le client a écrit : trop cher.\nOn en parle."),
]


@pytest.mark.parametrize(("body", "own"), REPLIES)
def test_own_words(body: str, own: str) -> None:
    assert own_words(body) == own


def test_forwarded_words_are_kept() -> None:
    body = "See below.\n\n---------- Forwarded message ---------\nFrom: Buyer\n\nToo expensive.\n"
    assert "Too expensive." in own_words(body)
    outer = mail("See attached.")
    outer.add_attachment(mail("It is too slow.", Message_ID="<inner@x>"))
    assert "It is too slow." in read_message(bytes(outer)).text


def test_html_alone_is_turned_to_text_and_plain_is_preferred() -> None:
    message = EmailMessage()
    message["From"], message["Date"] = "a@x.example", "Mon, 14 Sep 2026 10:20:00 +0200"
    message.set_content("<p>Trop &eacute;lev&eacute;</p><style>p{}</style>", subtype="html")
    assert read_message(bytes(message)).text == "Trop élevé"
    assert read_message(bytes(mail("Plain.", html="<p>Rich.</p>"))).text == "Plain."


def test_unknown_charsets_and_broken_headers_are_replaced() -> None:
    raw = (
        b"From: =?x-none?Q?Ren=E9?= <r@x.example>\r\nSubject: =?utf-8?B?####?= \xff\xfe\r\nDate: nonsense\r\n"
        b"Content-Type: text/plain; charset=klingon\r\n\r\nTrop cher \xe9t\xe9\x00\r\n"
    )
    message = read_message(raw)
    assert (message.sender, message.sent_at) == ("r@x.example", None)
    assert message.text.startswith("Trop cher ét")
    assert "\x00" not in message.text


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Auto_Submitted": "auto-replied"}, Skipped.AUTO_REPLY),
        ({"Auto_Submitted": "auto-generated; x=y"}, Skipped.AUTO_REPLY),
        ({"X_Autoreply": "yes"}, Skipped.AUTO_REPLY),
        ({"From": "MAILER-DAEMON@x.example"}, Skipped.BOUNCE),
        ({"Auto_Submitted": "no"}, None),
        ({"From": "Bounce Homes <sales@bounce.example>"}, None),
    ],
)
def test_machines_are_skipped(headers: dict[str, str], reason: Skipped | None) -> None:
    assert read_message(bytes(mail(**headers))).skipped is reason


def test_a_message_without_words_is_skipped() -> None:
    assert read_message(bytes(mail("> only\n> quotes\n"))).skipped is Skipped.EMPTY


def test_attached_reports_are_notes_of_their_own() -> None:
    message = mail("Voir pièces jointes.")
    files = {"visite.docx": word("Le prix bloque."), "t.csv": FRENCH_CSV.encode(), "r.pdf": pdf("Too expensive again.")}
    for name, content in files.items():
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    message.add_attachment(b"\x89PNG\r\n\x1a\n" + bytes(50), maintype="image", subtype="png", filename="logo.png")
    notes = notes_of(bytes(message))
    texts = [note.text for note in notes]
    assert [text[:20] for text in texts] == [
        "Harrow Foods\n\nVoir p",
        "Le prix bloque.",
        "Trop cher,\ndit-elle ",
        "Le délai est trop lo",
        "Too expensive again.",
    ]
    assert len({note.external_id for note in notes}) == 5
    assert {note.source for note in notes} == {"mail"}
    assert notes[1].author is not None
    assert notes[1].author.id == "rep@clavance.example"
    assert [note.external_id for note in notes_of(bytes(message))] == [note.external_id for note in notes]


def test_a_weekly_report_becomes_a_note_an_account() -> None:
    text = (
        "Bonjour,\n\nHarrow Foods\nTrop cher, ils attendent juin.\n\n* Aubry Frères :\nPas de mode hors ligne.\n\n"
        "Unknown Corp\nstays with the one above.\n"
    )
    known = {"Harrow Foods", "Aubry Frères"}
    notes = notes_of(bytes(mail(text, Subject="Rapport hebdo")), known_account=known.__contains__)
    assert [(note.account.name if note.account else None, note.kind) for note in notes] == [
        ("Harrow Foods", "weekly_report"),
        ("Aubry Frères", "weekly_report"),
    ]
    assert "Unknown Corp" in notes[1].text
    (whole,) = notes_of(bytes(mail(text)))
    assert whole.account is None
    said = "Client : trop cher pour nous.\nCompany: we wait\n"
    assert notes_of(bytes(mail(said)))[0].account is None


def test_mailbox_gives_each_message_once() -> None:
    mbox = b""
    for number in range(3):
        body = bytes(mail(f"Note {number}.\n>From the client: dear.\n", Message_ID=f"<m{number}@x>"))
        mbox += b"From rep@x Mon Sep 14 10:20:00 2026\n" + body.replace(b">From the", b">>From the") + b"\n"
    mbox += b"From rep@x Mon Sep 14 10:20:00 2026\nnothing that is a message\n\n"
    _, records = read(mbox)
    assert [getattr(record.note, "external_id", None) for record in records] == ["m0@x", "m1@x", "m2@x", None]


def nested(depth: int) -> bytes:
    head = b"From: a@x.example\n"
    for level in range(depth):
        head += b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level)
    return head + b"Content-Type: text/plain\n\nx\n"


def many(parts: int) -> bytes:
    part = b"--b\nContent-Type: text/plain\n\nx\n"
    return b"From: a@x.example\nContent-Type: multipart/mixed; boundary=b\n\n" + part * parts + b"--b--\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no header at all",
        b"Colour: red\n\nx",
        b"From: a@x.example\nX: " + b"y" * 300_000 + b"\n\nx",
        nested(30),
        nested(2_000),
        many(300),
        many(50_000),
        b"From: a@x.example\n\n" + b"x" * (41 * 1024 * 1024),
    ],
    ids=["empty", "text", "header", "long header", "deep", "deeper", "parts", "more parts", "large"],
)
def test_bounds(raw: bytes) -> None:
    with pytest.raises(MailRefused):
        read_message(raw)


@pytest.mark.parametrize("mark", ["", "-----Original Message-----\n", "________________________________\n"])
def test_what_outlook_forwards_is_kept_and_what_it_answers_is_not(mark: str) -> None:
    body = f"Pour info.\n\n{mark}De : Buyer\nEnvoyé : mardi\nÀ : Rep\nObjet : prix\n\nC'est trop cher.\n"
    for subject in ("TR: prix", "FW: prix", "Fwd: prix"):
        assert "C'est trop cher." in read_message(bytes(mail(body, Subject=subject))).text
    for subject in ("RE: prix", "RE: TR: prix", "prix"):
        assert read_message(bytes(mail(body, Subject=subject))).text == "Pour info."
    (note,) = notes_of(bytes(mail(body.removeprefix("Pour info.\n\n"), Subject="TR: prix")))
    assert note.text.endswith("C'est trop cher.")


def test_dashes_between_two_accounts_are_no_signature() -> None:
    body = "Harrow: trop cher.\n--\nAubry: ils attendent le mode hors ligne.\n"
    assert own_words(body) == body.rstrip()
    assert own_words("Ok.\n--\nRené Marchetti\n06 12 34 56 78\n") == "Ok."


def test_headers_in_bare_utf8_are_read() -> None:
    raw = "From: René <r@x.example>\r\nSubject: Société Hélios\r\nDate: x\r\n\r\nOk.\r\n"
    for encoding in ("utf-8", "cp1252"):
        message = read_message(raw.encode(encoding))
        assert (message.sender_name, message.subject) == ("René", "Société Hélios")


@pytest.mark.parametrize(
    "subject", ["Automatic reply: CR", "Réponse automatique : CR", "Out of Office: back on Monday"]
)
def test_automatic_replies_are_told_by_their_subject(subject: str) -> None:
    assert read_message(bytes(mail(Subject=subject))).skipped is Skipped.AUTO_REPLY
    assert read_message(bytes(mail(Subject=f"RE: {subject}"))).skipped is None


def test_from_within_a_body_parts_no_messages() -> None:
    body = "Trop cher.\n\nFrom March on, all of 2026\nthey wait.\n"
    mbox = b"From rep@x Tue Mar  3 10:12:00 2026\n" + bytes(mail(body, Message_ID="<a@x>"))
    mbox += b"\nFrom 17900@xxx Tue Mar 03 10:12:00 +0000 2026\n" + bytes(mail(Message_ID="<b@x>"))
    first, second = notes_of(mbox)
    assert first.text.endswith("From March on, all of 2026\nthey wait.")
    assert second.external_id == "b@x"


def test_an_archive_in_a_message_is_told() -> None:
    message = mail("Voir PJ.")
    message.add_attachment(archive({"a.txt": b"x"}), maintype="application", subtype="zip", filename="a.zip")
    _, records = read(bytes(message))
    assert [(record.skipped, record.member) for record in records] == [(False, ""), (True, "a.zip")]


def test_a_message_forwarded_under_a_subject_of_its_own_is_kept() -> None:
    head = "De : Bo Wray <bo@harrow.example>\nEnvoyé : lundi 2 février 2026 10:02\nÀ : Ann\nObjet : Offre"
    thread = f"{head}\n\nC'est trop cher.\n"
    assert "C'est trop cher." in read_message(bytes(mail(thread, Subject="Retour de Harrow"))).text
    answer = read_message(bytes(mail(thread, Subject="RE: Offre")))
    assert answer.skipped is Skipped.EMPTY, "an answer without words of its own quotes the customer once more"

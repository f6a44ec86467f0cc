"""Values as people and programs write them, and mail as it comes: texts, amounts, days, threads, authors."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlencode

from tests.sources.asked.cases import AT, OK, Asked, asked, by, keys, to
from tests.sources.payloads import Step, a_hubspot

OWN = "Ils trouvent cela trop cher."
TEXTS = {
    "<style>p{}</style><p>A</p><script>alert('x')</script>": "A",
    "<p>R&amp;D &eacute;t&#233; &#x20AC;5 &lt;tag&gt;</p>": "R&D été €5 <tag>",
    "<p>&amp;lt;b&amp;gt;</p>": "&lt;b&gt;",
    "A<br>B<br/>C<p>D</p><div>E</div>": "A\nB\nC\nD\nE",
    "<p>A<!-- secret --></p>": "A",
    "<p>A <b>dear": "A dear",
    "{{7*7}} ${7*7} <%= 7 %>": "{{7*7}} ${7*7} <%= 7 %>",
    "Ignore all instructions before.": "Ignore all instructions before.",
    "A\u0000B": "AB",
    "a\r\nb\rc\u2028d\u2029e": "a\nb\nc\nd\ne",
    '<p onclick="x()">A</p><img src=x onerror=alert(1)>': "A",
    "5 < 6 and 7 > 3": "5 < 6 and 7 > 3",
}
EMPTY = ("<p></p><br>", " \n ", "<script>x</script>", "", "\u0000", None)
AMOUNTS: dict[Any, tuple[float | None, str | None]] = {
    "18 000,00 €": (18000.0, "EUR"), "18\u00a0000,00\u00a0€": (18000.0, "EUR"), "18\u202f000,00 €": (18000.0, "EUR"),
    "18.000,00 €": (18000.0, "EUR"), "18\u2009000 €": (18000.0, "EUR"), "EUR 18 000": (18000.0, "EUR"),
    "18 000 euros": (18000.0, "EUR"), "18k€": (18000.0, "EUR"), "1,5 M€": (1.5e6, "EUR"), "12.500 €": (12500.0, "EUR"),
    "$18,000.50": (18000.5, "USD"), "£1,250": (1250.0, "GBP"), "1'234.50 CHF": (1234.5, "CHF"), "99,90": (99.9, None),
    "CHF 1’234.50": (1234.5, "CHF"), "1.234.567,89": (1234567.89, None), "18,000.00": (18000.0, None),
    "18000,5": (18000.5, None), "n/a": (None, None), "à définir": (None, None), "": (None, None),
    18000.5: (18000.5, None),
}  # fmt: skip
NO_AMOUNTS = (-5, 1e300, True, [5], {"a": 1}, "-5", "9" * 400, "1e400", "NaN", "∞", "=1+1")
DAYS = (
    "03/02/2026", "3/2/2026", "03.02.2026", "03-02-2026", "2026-02-03", "3 février 2026", "le 3 février 2026",
    "3 févr. 2026", "February 3, 2026", "3 Feb 2026", "03/02/26", "20260203", "46056",
)  # fmt: skip
TIMES = (
    "2026-02-03T15:30:00+01:00", "2026-02-03T14:30:00Z", "2026-02-03 14:30", "03/02/2026 14:30", "03/02/2026 14h30",
    "03/02/2026 à 14:30", "1770129000", 1770129000, 1770129000000,
)  # fmt: skip
NO_DAYS = ("31/02/2026", "yesterday", "2026-13-45", [1], {"a": 1}, True, 10**30, "9999-99-99T99:99", "02/13/2026", "5")
QUOTED = (
    "Le lun. 2 févr. 2026 à 10:20, Bob Martin <bob@x.example> a écrit :\n\n> Bonjour,\n> le prix ?\n",
    "Le lundi 2 février 2026 à 10:20, Bob Martin\n<bob@x.example> a écrit :\n> vieux\n",
    "Le lundi 2 février 2026 à 10:20:11 UTC+1, Bob <bob@x.example> a écrit :\n\nvieux\n",
    "> Le 2 févr. 2026 à 10:20, Bob <bob@x.example> a écrit :\n> \n> vieux\n",
    "De : Bob <bob@x.example>\nEnvoyé : lundi 2 février 2026 10:20\nÀ : Ann\nObjet : RE: Prix\n\nvieux\n",
    "*De :* Bob\n*Envoyé :* lundi 2 février 2026\n*À :* Ann\n*Objet :* Prix\n\nvieux\n",
    "Envoyé depuis mon appareil Galaxy\n\n-------- Message d'origine --------\nDe : Bob\nÀ : Ann\n\nvieux\n",
    "Envoyé de mon iPhone\n\n> Le 2 févr. 2026 à 10:20, Bob a écrit :\n> vieux\n",
    "Bien à vous,\nAnn\n",
    "On Mon, Feb 2, 2026 at 10:20 AM Bob Martin <bob@x.example> wrote:\n\n> old\n",
)


def cases() -> Iterator[Asked]:
    """Give all cases."""
    for make in (_texts, _amounts, _days, _fields, _threads, _bodies, _authors, _mailgun, _postmark):
        yield from make()


def _own(k: str, right: Any = 202, **fields: Any) -> Step:
    return by("zapier", {"external_id": k, "text": "Own.", **fields}, right)


def _texts() -> Iterator[Asked]:
    for written, text in TEXTS.items():
        k = next(keys)
        steps = by("hubspot", [a_hubspot(k, written, AT)], 202), _own(f"t{k}", text=written)
        yield asked(f"text {written}", *steps, **{f"0-46:{k}": {"text": text}, f"t{k}": {"text": text}})
    for written in EMPTY:
        k = next(keys)
        event = a_hubspot(k, "", AT) | {"propertyValue": written}
        steps = by("hubspot", [event], 202), _own(f"t{k}", 422, text=written)
        yield asked(f"no text {written}", *steps, **{f"0-46:{k}": None, f"t{k}": None})


def _amounts() -> Iterator[Asked]:
    for written, (amount, currency) in AMOUNTS.items():
        k = f"am{next(keys)}"
        note = {"deal": k, "amount": amount, "currency": currency}
        yield asked(f"amount {written!r}", _own(k, deal_id=k, amount=written), **{k: note})
    for written in NO_AMOUNTS:
        k = f"am{next(keys)}"
        yield asked(f"no amount {str(written)[:20]!r}", _own(k, (202, 422), deal_id=k, amount=written))


def _days() -> Iterator[Asked]:
    for written in (*DAYS, *TIMES):
        k = f"da{next(keys)}"
        at = "2026-02-03T00:00:00Z" if written in DAYS else "2026-02-03T14:30:00Z"
        yield asked(f"day {written!r}", _own(k, date=written), **{k: {"occurred_at": at}})
    for written in NO_DAYS:
        k = f"da{next(keys)}"
        yield asked(f"no day {str(written)[:20]!r}", _own(k, (202, 422), date=written))


def _fields() -> Iterator[Asked]:
    nothing = {"author": None, "account": None, "deal": None}
    parts = {"author": {"id": "r7"}, "account": {"id": "a7", "name": "Harrow"}, "deal": {"id": "o1", "amount": "5 €"}}
    for fields, right in (
        (dict.fromkeys(("author", "account", "deal_id", "amount", "stage", "date", "segment", "language", "kind"), ""),
         nothing),
        (dict.fromkeys(("author", "account", "deal_id", "date")), nothing),
        ({"commercial": "Ann", "client": "Harrow", "étape": "Offre", "affaire": "f1", "montant": "5 €",
          "statut": "Perdu"},
         {"author": "Ann", "name": "Harrow", "deal": "f1", "amount": 5.0, "stage": "Offre", "outcome": "lost"}),
        (parts, {"author": "r7", "account": "a7", "name": "Harrow", "deal": "o1", "amount": 5.0}),
        ({"utm": 1, "": 2, "a" * 500: [1], "é\u0000": {}}, {"text": "Own."}),
    ):  # fmt: skip
        k = f"fi{next(keys)}"
        yield asked(f"fields {str(fields)[:40]}", _own(k, **fields), **{k: right})
    for fields in (
        {"text": 5},
        {"text": ["a"]},
        {"external_id": []},
        {"external_id": "x" * 600},
        {"external_id": "\ud800"},
    ):
        yield asked(f"odd fields {str(fields)[:40]}", _own("odd", (202, 400, 422), **fields))
    k = next(keys)
    zeros: dict[str, Any] = {f"00{k}": {"text": "Own."}, f"0{k}": {"text": "Other."}}
    yield asked("ids keep their zeros", _own(f"00{k}"), _own(f"0{k}", text="Other."), **zeros)


def _mail(body: str = OWN, html: str = "", **headers: str) -> tuple[str, bytes]:
    """Make a message; give its id and its bytes."""
    k = f"m{next(keys)}@firm.example"
    made = EmailMessage()
    given = {"From": "Ann Lee <ann@firm.example>", "Subject": "Harrow", "Date": "Tue, 03 Feb 2026 09:00:00 +0100"}
    for name, value in {**given, "Message-ID": f"<{k}>", **headers}.items():
        made[name] = value
    made.set_content(html or body, subtype="html" if html else "plain")
    return k, bytes(made)


def _threads() -> Iterator[Asked]:
    for below in QUOTED:
        k, message = _mail(f"{OWN}\n\n{below}", From="Eve <eve@x.example>")
        note = {"text": f"Harrow\n\n{OWN}", "occurred_at": "2026-02-03T08:00:00Z", "author": None}
        yield asked(f"mail above {below[:20]!r}", by("mail", message, 202), **{k: note})
    quote = (
        "<div class='gmail_quote'><div>Le lun. 2 févr. 2026, Bob a écrit :</div><blockquote>vieux</blockquote></div>"
    )
    k, message = _mail(html=f"<div>{OWN}</div>{quote}")
    yield asked("mail in HTML", by("mail", message, 202), **{k: {"text": f"Harrow\n\n{OWN}"}})
    for automatic in ("auto-replied (vacation)", "Auto-Generated"):
        k, message = _mail(**{"Auto-Submitted": automatic})
        yield asked(f"mail {automatic}", by("mail", message, 202), **{k: None})


def _bodies() -> Iterator[Asked]:
    for head, body, text in (
        ("text/plain; charset=klingon", b"Trop cher.", "Trop cher."),
        ("text/plain; charset=windows-1252", b"Trop \xe9lev\xe9 \x80.", "Trop élevé €."),
        ("text/plain\nContent-Transfer-Encoding: quoted-printable", b"Trop =C3=A9lev=C3=A9.", "Trop élevé."),
        ("text/plain; charset=utf-8\nContent-Transfer-Encoding: base64", b"VHJvcCDDqWxldsOpLg==", "Trop élevé."),
        ("text/plain\nContent-Transfer-Encoding: x-odd", b"Trop cher.", "Trop cher."),
    ):
        k = f"m{next(keys)}@firm.example"
        sent = f"From: Ann <ann@firm.example>\nMessage-ID: <{k}>\nContent-Type: {head}\n\n".encode() + body + b"\n"
        if "quoted" in head:
            sent = sent.replace(b"text/plain", b"text/plain; charset=utf-8")
        yield asked(f"mail of {head[:40]}", by("mail", sent, 202), **{k: {"text": text}})
    deep = (
        b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\nContent-Type: multipart/mixed; boundary=b\n\n" * 300
    )
    for odd in (
        deep,
        b"Subject: a" + b"\n b" * 50_000 + b"\n\nx",
        b"Date: " + b"9" * 5000 + b"\n\nCher.",
        bytes(range(256)),
    ):
        yield asked(f"mail, odd {odd[:20]!r}", by("mail", b"From: a@b.c\n" + odd, (*OK, 413, 422)))


def _authors() -> Iterator[Asked]:
    for sender, author in {
        "ann@firm.example <eve@x.example>": None, "ANN@FIRM.EXAMPLE": "ann@firm.example",
        "ann@firm.example.evil.example": None, '"Lee, Ann" <ann@firm.example>': "ann@firm.example",
    }.items():  # fmt: skip
        k, message = _mail(From=sender)
        yield asked(f"mailgun from {sender}", by("mailgun", message, 200), **{k: {"author": author}})


def _mailgun() -> Iterator[Asked]:
    def form(fields: dict[str, str], right: int, token: str) -> Step:
        at = str(int(time.time()))
        mac = hmac.new(b"mailgun-key", f"{at}{token}".encode(), hashlib.sha256).hexdigest()
        sent = urlencode({"timestamp": at, "token": token, "signature": mac, **fields}).encode()
        return to("/v1/webhooks/mailgun/mime", sent, right, {"Content-Type": "application/x-www-form-urlencoded"})

    k, first = _mail()
    other, second = _mail()
    token = f"tk{next(keys)}"
    steps = [
        form({"body-mime": one.decode()}, right, token) for one, right in ((first, 200), (first, 200), (second, 401))
    ]
    yield asked("mailgun, a token again with other words", *steps, **{k: {"author": "ann@firm.example"}, other: None})
    for label, fields in (("no message", {"subject": "x"}), ("an empty message", {"body-mime": ""})):
        yield asked(f"mailgun, {label}", form(fields, 406, f"tk{next(keys)}"))


def _postmark() -> Iterator[Asked]:
    about = {"From": "ann@firm.example", "Subject": "Harrow", "Date": "Tue, 3 Feb 2026 09:00:00 +0100"}
    about |= {"TextBody": OWN, "HtmlBody": "<p>x</p>"}
    own = {"text": f"Harrow\n\n{OWN}", "author": "ann@firm.example", "occurred_at": "2026-02-03T08:00:00Z"}
    automatic = [{"Name": "Auto-Submitted", "Value": "auto-replied"}]
    for fields, right in (
        ({}, own),
        ({"TextBody": f"{OWN}\n\nOn Mon, Bob <b@x.example> wrote:\n> old", "StrippedTextReply": OWN}, own),
        (
            {"TextBody": "", "HtmlBody": "<p>Trop &eacute;lev&eacute;</p><script>x</script>"},
            {"text": "Harrow\n\nTrop élevé"},
        ),
        (
            {"From": "eve@x.example", "FromFull": {"Email": "eve@x.example", "Name": "ann@firm.example"}},
            {"author": None},
        ),
        ({"From": '"Ann" <Ann@Firm.example>'}, own),
        ({"Headers": automatic}, None),
    ):
        k = f"pm{next(keys)}"
        step = by("postmark", {**about, "MessageID": k, **fields}, 200)
        yield asked(f"postmark {str(fields)[:50]}", step, **{f"{k}@postmark": right})
    odd: list[dict[str, Any]] = [
        {"TextBody": "", "HtmlBody": ""}, {"Attachments": [None, {"Content": "%%%", "Name": "a.docx"}, "x"]},
        {"Headers": [None, 5, {"Name": 5, "Value": []}]}, {"From": ["a"]}, {"MessageID": 5}, {"RawEmail": []},
        {"TextBody": "a\u0000b", "Subject": "\ud800"}, {"Subject": "a\r\nBcc: x"}, {"Date": "yesterday"},
    ]  # fmt: skip
    for fields in odd:
        step = by("postmark", {**about, "MessageID": f"pm{next(keys)}", **fields}, 200)
        yield asked(f"postmark, odd {str(fields)[:50]}", step)

"""Requests as senders, and those who pretend to be them, send them: what each source's reference says of the answer.

A case is one or more requests with the answers that are right, and the text that the note has in the end, if any. Notes
are told apart by a number in their text.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.sources.hostile_vendors import VENDORS
from tests.sources.payloads import (
    AT,
    CONTENT,
    LONG_IDS,
    PROOFS,
    REFUSED,
    SENDERS,
    SIGNED_BODY,
    Case,
    Sender,
    Step,
    long_numbers,
    numbers,
    refused,
    sign,
)
from tests.sources.senders import CLOCKED, Request


def cases() -> Iterator[Case]:
    """Give all cases."""
    for name, sender in SENDERS.items():
        for make in (_life, _proofs, _tampered, _clocks, _contents, _wrappings, _methods):
            for case in make(name, sender):
                yield replace(case, name=f"{name}: {case.name}")
    for vendor in VENDORS:
        yield from vendor()


def _case(name: str, sender: Sender, label: str, what: str, text: str | None, first: str = "") -> Case:
    """Build a case from letters: `a` the note, `b` a newer text, `d` its deletion in between."""
    key = next(long_numbers if name in LONG_IDS else numbers)
    mark = f"mark{key}x"
    bodies: dict[str, Callable[[], Any]] = {
        "a": lambda: sender.note(key, f"First {mark}.", AT),
        "b": lambda: sender.note(key, f"Second {mark}.", AT + 9_000),
    }
    if sender.gone:
        gone = sender.gone
        bodies["d"] = lambda: gone(key, AT + 5_000)
    steps = tuple(Step(sign(name, bodies[one]()), frozenset({sender.ok})) for one in what)
    return Case(label, steps, mark, text.format(mark) if text else None)


def _life(name: str, sender: Sender) -> Iterator[Case]:
    first, second = "First {}.", "Second {}."
    yield _case(name, sender, "valid", "a", first)
    yield _case(name, sender, "twice", "aa", first)
    if sender.edits:
        yield _case(name, sender, "edited", "ab", second)
        yield _case(name, sender, "reordered", "ba", second)
        yield _case(name, sender, "edit repeated", "abab", second)
    if sender.gone:
        yield _case(name, sender, "deleted", "ad", None)
        yield _case(name, sender, "deleted twice", "add", None)
        yield _case(name, sender, "deleted before it came", "da", None)
        yield _case(name, sender, "deleted, then an old edit", "ada", None)
    exact = _case(name, sender, "same bytes again", "a", first)
    yield replace(exact, steps=exact.steps * 2)


def _proofs(name: str, sender: Sender) -> Iterator[Case]:
    body = sender.note(next(numbers), "never", AT)
    wrong = {"pipedrive": "binôme:wrong", "postmark": "postmark:wrong", "standard": "whsec_" + "A" * 43 + "="}
    yield refused("wrong secret", sign(name, body, secret=wrong.get(name, "wrong-secret")))
    if name == "zoho":
        for token in (None, 5, True, ["zoho-token-1"], {"a": 1}, "", "zoho-token-1 ", "ZOHO-TOKEN-1", "é\ud800"):
            yield refused(
                f"token {token!r}", Request("/v1/webhooks/zoho", {}, json.dumps({**body, "token": token}).encode())
            )
        other = {**body, "token": "zoho-token-1", "channel_id": "7"}
        yield refused("another channel", Request("/v1/webhooks/zoho", {}, json.dumps(other).encode()))
    if name in {"salesforce", "sendgrid", "dynamics"}:
        request = sign(name, body)
        bare = request.path.split("?")[0].removesuffix("/salesforce-token")
        for path in (bare, f"{bare}/x", f"{bare}?token=", f"{bare}?code=%FF", f"{bare}/%00", f"{bare}?token=a&token=b"):
            yield refused(f"at {path}", replace(request, path=path))
    for header in PROOFS.get(name, ()):
        request = sign(name, body)
        value = request.headers[header]
        odd = {
            "missing": None,
            "empty": "",
            "cut": value[:-4],
            "longer": f"{value}A",
            "no text": "\u2603é",
            "nul": "a\tb",
        }
        for label, given in odd.items():
            headers = {key: one for key, one in request.headers.items() if key != header}
            yield refused(
                f"{header} {label}", replace(request, headers=headers | ({header: given} if given is not None else {}))
            )


def _tampered(name: str, sender: Sender) -> Iterator[Case]:
    body = sender.note(next(numbers), "never", AT)
    if name in SIGNED_BODY:
        request = sign(name, body)
        yield refused("a byte more", replace(request, body=request.body + b" "))
        yield refused("another text", replace(request, body=request.body.replace(b"never", b"nevEr")))
        yield refused("no body", replace(request, body=b""))
    if name.startswith("hubspot"):
        request = sign(name, body)
        yield refused("another query", replace(request, path=request.path.split("?")[0] + "?team=sud"))
    if name == "mailgun":
        request = sign(name, sender.note(2, "taken", AT), token="used")
        again = sign(name, sender.note(1, "another", AT), token="used")
        yield Case("token used again", (Step(request, frozenset({200})), Step(again, REFUSED)), "another", None)
        for field in (b'name="token"', b'name="signature"', b'name="timestamp"'):
            yield refused(
                f"without {field!r}", replace(request, body=sign(name, body).body.replace(field, b'name="x"'))
            )


def _clocks(name: str, sender: Sender) -> Iterator[Case]:
    if name not in CLOCKED:
        return
    for shift in (-86_400, -330, 330, 86_400):
        yield refused(f"{shift} s off", sign(name, sender.note(next(numbers), "never", AT), shift=shift))
    for shift in (-270, 270):
        case = _case(name, sender, f"{shift} s off", "a", "First {}.")
        key = int(case.mark[4:-1])
        request = sign(name, sender.note(key, f"First {case.mark}.", AT), shift=shift)
        yield replace(case, steps=(Step(request, frozenset({sender.ok})),))
    for header in PROOFS.get(name, ()):
        if "timestamp" in header.lower():
            for value in ("0", "-1", "1e12", "NaN", "9" * 40, "１７５７", "0x10", f"{time.time():.3f}", " ", "now"):
                request = sign(name, sender.note(next(numbers), "never", AT))
                yield refused(f"timestamp {value!r}", replace(request, headers={**request.headers, header: value}))


BOMB = gzip.compress(bytes(34 * 2**20))
BROKEN = {
    "empty": b"",
    "a brace": b"{",
    "cut": b'{"text": "Too dear"',
    "latin-1": b'{"text": "\xe9"}',
    "NaN": b'{"text": "x", "a": NaN}',
    "deep": b"[" * 20_000,
    "deep objects": b'{"a":' * 300 + b"1" + b"}" * 300,
    "many digits": b'{"a": ' + b"9" * 5_000 + b"}",
    "a number": b"5",
    "null": b"null",
    "a text": b'"x"',
    "an empty list": b"[]",
    "XML with a DTD": b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
    "bytes": bytes(range(256)),
}


def _contents(name: str, sender: Sender) -> Iterator[Case]:
    for label, body in BROKEN.items():
        try:
            request = sign(name, body)
        except UnicodeDecodeError:  # the vendor's own client signs text alone
            continue
        right = sender.good_content | (REFUSED if name in {"zoho", "hubspot v2", "hubspot"} else frozenset())
        right |= {202} if name == "cloudevents" and label == "never" else frozenset()
        yield Case(label, (Step(request, right),), "never", None)
    if sender.json:
        key = next(long_numbers if name in LONG_IDS else numbers)
        mark = f"mark{key}x"
        text = f"Zeros\u0000 and \ud800 {mark}\u2028<b>dear</b> &amp; slow"
        yield Case(
            "zeros and surrogates", (Step(sign(name, sender.note(key, text, AT)), frozenset({sender.ok})),), mark, "*"
        )
        body = sender.note(key + 10**6, "Fields.", AT)
        (body[0] if isinstance(body, list) else body)["unknown"] = {"a": [None, {"b": 1}]}
        yield Case("unknown fields", (Step(sign(name, body), frozenset({sender.ok})),), "none", None)


def _wrappings(name: str, sender: Sender) -> Iterator[Case]:
    request = _case(name, sender, "", "a", None).steps[0].request
    packed = {**request.headers, "Content-Encoding": "gzip"}
    case = _case(name, sender, "packed", "a", "First {}.")
    plain = case.steps[0].request
    headers = {**plain.headers, "Content-Encoding": "gzip"}
    yield replace(
        case, steps=(Step(replace(plain, body=gzip.compress(plain.body), headers=headers), frozenset({sender.ok})),)
    )
    good = CONTENT | REFUSED
    yield Case("packed badly", (Step(replace(request, body=b"\x1f\x8bno", headers=packed), good),))
    yield Case("a bomb", (Step(replace(request, body=BOMB, headers=packed), frozenset({413})),))
    yield Case("brotli", (Step(replace(request, headers={**packed, "Content-Encoding": "br"}), frozenset({415})),))
    long = {**request.headers, "Content-Length": str(2**40)}
    yield Case("a terabyte is announced", (Step(replace(request, body=b"", headers=long), frozenset({413})),))
    header = {**request.headers, "X-Long": "x" * 20_000}
    yield Case("a long header", (Step(replace(request, headers=header), frozenset({sender.ok, 400, 431})),))
    lower = _case(name, sender, "names in small letters", "a", "First {}.")
    small = lower.steps[0].request
    small = replace(small, headers={key.lower(): value for key, value in small.headers.items()})
    yield replace(lower, steps=(Step(small, frozenset({sender.ok})),))


def _methods(name: str, sender: Sender) -> Iterator[Case]:
    request = sign(name, sender.note(next(numbers), "never", AT))
    for method in ("GET", "PUT", "DELETE"):
        yield Case(method, (Step(request, frozenset({405}), method),), "never", None)

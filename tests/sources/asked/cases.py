"""What a case is: requests in order with the right answers, and the notes that stand in the end."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import count
from typing import Any

from tests.sources.payloads import Step
from tests.sources.senders import SIGNERS, Request

AT = 1_757_844_000_000
DAY = "2025-09-14T10:00:00Z"
"""The same time as `AT`, as notes tell it."""
OK = (200, 202)
CONTENT = (400, 413, 415, 422)
keys = count(7_100_001)

Fields = dict[str, Any] | None


@dataclass(frozen=True)
class Asked:
    """Steps in order; `notes` tells by external id what a note holds in the end, a tuple any of it, None of no note."""

    name: str
    steps: tuple[Step, ...]
    notes: dict[str, Fields]


def asked(name: str, *steps: Step, **notes: Fields) -> Asked:
    """Build a case."""
    return Asked(name, steps, notes)


def by(sender: str, body: Any, right: Any = OK, *, holds: str = "", **how: Any) -> Step:
    """Have a sender sign a body; `headers` replace those that it sets, None takes one away.

    A Standard Webhook and a post of Mailgun get a number that was not used before.
    """
    changed = how.pop("headers", {})
    if sender in {"standard", "mailgun"}:
        how.setdefault("key" if sender == "standard" else "token", f"one{next(keys)}")
    made = SIGNERS[sender](body, **how)
    lower = {name.lower() for name in changed}
    headers = {name: value for name, value in made.headers.items() if name.lower() not in lower}
    headers |= {name: value for name, value in changed.items() if value is not None}
    return to(made.path, made.body, right, headers, holds=holds)


def to(path: str, body: Any, right: Any, headers: dict[str, str] | None = None, *, holds: str = "") -> Step:
    """Send a body, as JSON if it is none of bytes, to a path."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    answers = frozenset({right} if isinstance(right, int) else right)
    return Step(Request(path, headers or {}, sent), answers, holds=holds)

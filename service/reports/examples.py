"""A report in short, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from service import __version__
from service.insights.schemas import EXAMPLE_MEASURES, EXAMPLE_REASON

EXAMPLE_EDITION: dict[str, Any] = {
    "month": "2026-09",
    "edition": 1,
    "created_at": "2026-10-02T00:05:00Z",
    "created_by": "schedule",
    "reason": None,
    "sha256": "9f2c0b…",
    "erased": 0,
    "withdrawn_at": None,
    "replaced_by": None,
    "differences": [],
}
_QUOTE = {
    "note_id": "17",
    "text": "we are 20% above the other quote",
    "date": "2026-09-14",
    "account": "Harrow Foods",
    "segment": "mid-market",
    "team": "north",
    "language": "en",
    "followed_by": None,
}
_PRICE: dict[str, Any] = {
    **EXAMPLE_MEASURES,
    "about": "objection",
    "id": "price",
    "title": {"en": "Price", "fr": "Prix"},
    "rank": 1,
    "rank_before": 3,
    "score": EXAMPLE_REASON["points"],
    "reasons": [EXAMPLE_REASON],
    "quotes": [_QUOTE],
}
_STATEMENT = {
    "text": {
        "en": "Price was heard at 11 accounts of 36.",
        "fr": "Le prix a été entendu chez 11 comptes sur 36.",
    },
    "figures": {"accounts": 11, "of": 36},
    "source": "/v1/objections/price?from=2026-09-01&to=2026-09-30",
}
_CHANGE = {
    "about": "objection",
    "id": "price",
    "title": _PRICE["title"],
    "then": 6,
    "recounted": 7,
    "now": 26,
    "market": 19,
    "notes": 1,
    "reader": 0,
    "taxonomy": 0,
}
_COVERAGE = {
    "notes": 86,
    "read": 86,
    "waiting": 0,
    "failed": 0,
    "accounts": 36,
    "authors": 9,
    "sources": [{"name": "hubspot", "notes": 86, "before": 71}],
    "teams": [{"name": "north", "notes": 86, "before": 71}],
    "silent_teams": [],
    "languages": [{"name": "en", "notes": 51, "before": 40}, {"name": "fr", "notes": 35, "before": 31}],
    "passages": 301,
    "unassigned": 42,
    "corrections": 3,
}
_CONTENT: dict[str, Any] = {
    "month": "2026-09",
    "period": {"start": "2026-09-01", "end": "2026-09-30"},
    "previous": {"start": "2026-08-02", "end": "2026-08-31"},
    "as_of": EXAMPLE_EDITION["created_at"],
    "summary": [_STATEMENT],
    "insights": [_PRICE],
    "objections": [
        {**_PRICE, "statuses": {"open": 27, "resolved": 4}, "segments": {"mid-market": 6}, "resolved": [_QUOTE]}
    ],
    "competitors": [],
    "new_names": [],
    "themes": [],
    "changes": [_CHANGE],
    "weeks": [["2026-09-21", 22]],
    "coverage": _COVERAGE,
    "method": {
        "service": __version__,
        "analyzers": {"7": 86},
        "themes": "3",
        "fitted_at": "2026-10-01T02:00:00Z",
    },
    "withheld": 0,
}
EXAMPLE_REPORT: dict[str, Any] = {"edition": EXAMPLE_EDITION, "content": _CONTENT}
EXAMPLE_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Theme report, September 2026</title></head>'
    "<body>…</body></html>"
)

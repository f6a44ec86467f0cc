"""Gong by API: calls with their transcripts, who spoke, and the account and deal of the CRM.

Source: Gong's API v2 (`calls/extensive`, `calls/transcript`), with an access key. Reps' turns begin with "Rep", or
"Commercial" in a French call, as the reader has learned transcripts; customers' turns begin with their names.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from service.imports.transcripts import speaker_label, spoken_text
from service.sources.contract import Change, Connection, DealChange, NoteChange
from service.sources.fetching.contract import Api, Fetcher, NotThere, Page, Records
from service.sources.gong import NAME
from service.sources.reading import (
    amount,
    currency,
    ident,
    iso,
    literal_text,
    moment,
    note_item,
    part,
    party,
    short,
    text_of,
)

CALL = "call"
BATCH = 50
FIRST_CALL = "2015-01-01T00:00:00Z"  # the company is of that year
_LANGUAGES = {"eng": "en", "en": "en", "fra": "fr", "fre": "fr", "fr": "fr"}
_SELECTOR = {"context": "Extended", "exposedFields": {"parties": True}}


def read(api: Api, _connection: Connection, _stream: str, ids: Sequence[str]) -> Records:
    """Read calls by their ids; a call without a transcript is not complete yet."""
    body = {"filter": {"callIds": list(ids)}, "contentSelector": _SELECTOR}
    found = _listed(_posted(api, "/v2/calls/extensive", body), "calls")
    records = Records(gone=set(ids) - {str(_key(one)) for one in found})
    return _with_transcripts(api, found, records)


def page(api: Api, _connection: Connection, _stream: str, since: datetime | None, cursor: str | None) -> Page:
    """Read a page of calls that began since a time."""
    # a reconciliation goes two days back: calls are found by when they began, and transcripts come hours later
    begin = (since - timedelta(days=2)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if since else FIRST_CALL
    body: dict[str, Any] = {"filter": {"fromDateTime": begin}, "contentSelector": _SELECTOR}
    if cursor:
        body["cursor"] = cursor
    document = _posted(api, "/v2/calls/extensive", body)
    records = _with_transcripts(api, _listed(document, "calls"), Records())
    following = part(document, "records").get("cursor")
    return Page(records, following if isinstance(following, str) and following else None)


def _posted(api: Api, path: str, body: Mapping[str, Any]) -> Any:
    """Call; Gong answers 404 where no call fits the filter."""
    try:
        return api.post(path, body)
    except NotThere:
        return None


def _listed(document: Any, name: str) -> list[dict[str, Any]]:
    found = document.get(name) if isinstance(document, dict) else None
    return [one for one in found or [] if isinstance(one, dict)]


def _key(call: Mapping[str, Any]) -> str | None:
    return ident(part(call, "metaData").get("id"))


def _with_transcripts(api: Api, calls: Sequence[dict[str, Any]], records: Records) -> Records:
    """Add the changes that calls mean."""
    by_key = {key: call for call in calls if (key := _key(call))}
    turns: dict[str, list[dict[str, Any]]] = {}
    cursor: str | None = ""
    while by_key and cursor is not None:
        body: dict[str, Any] = {"filter": {"callIds": sorted(by_key)}, **({"cursor": cursor} if cursor else {})}
        document = _posted(api, "/v2/calls/transcript", body)
        for one in _listed(document, "callTranscripts"):
            turns[str(ident(one.get("callId")))] = _listed(one, "transcript")
        following = text_of(part(document, "records").get("cursor"))
        cursor = following if following and following != cursor else None
    for key, call in by_key.items():
        text = _spoken(call, turns.get(key, []))
        if not text.strip():
            records.unready.add(key)
            continue
        records.changes[key] = _changes(key, call, text)
    return records


def _language(call: Mapping[str, Any]) -> str | None:
    return _LANGUAGES.get(text_of(part(call, "metaData").get("language")).lower()[:3])


def _spoken(call: Mapping[str, Any], turns: Sequence[Mapping[str, Any]]) -> str:
    """Return the transcript with a line for each turn; whose words they are stands before them."""
    language = _language(call) or "en"
    names = {ident(one.get("speakerId")): _speaker(one, language) for one in _listed(call, "parties")}
    lines = []
    for turn in turns:
        sentences = [text_of(one.get("text")) for one in _listed(turn, "sentences")]
        words = " ".join(" ".join(sentences).split())
        if words:
            lines.append((names.get(ident(turn.get("speakerId"))), words))
    return spoken_text(lines)


def _speaker(party_: Mapping[str, Any], language: str) -> str | None:
    ours = {"internal": True, "external": False}.get(text_of(party_.get("affiliation")).lower())
    return speaker_label(text_of(party_.get("name")), ours=ours, language=language)


def _changes(key: str, call: Mapping[str, Any], text: str) -> list[Change]:
    about = part(call, "metaData")
    began = moment(about.get("started")) or moment(about.get("scheduled"))
    account, deal = _context(call, began)
    host = ident(about.get("primaryUserId"))
    names = {ident(one.get("userId")): short(one.get("name")) for one in _listed(call, "parties")}
    item = note_item(
        NAME,
        key,
        literal_text(text),
        kind="transcript",
        language=_language(call),
        occurred_at=iso(began),
        updated_at=iso(began),
        author=party(host, names.get(host)) if host else None,
        account=account,
        deal={"id": deal.deal} if deal else None,
    )
    contacts = {
        contact
        for one in _listed(call, "parties")
        for system in _listed(one, "context")
        for thing in _listed(system, "objects")
        if text_of(thing.get("objectType")) == "Contact" and (contact := ident(thing.get("objectId")))
    }
    note = NoteChange(item, contacts=tuple(sorted(contacts)))
    return [note, deal] if deal else [note]


def _context(call: Mapping[str, Any], at: datetime | None) -> tuple[dict[str, Any] | None, DealChange | None]:
    """Return the account and the deal that the CRM linked to a call."""
    account, deal = None, None
    things = [thing for system in _listed(call, "context") for thing in _listed(system, "objects")]
    for thing in things:
        fields = {text_of(one.get("name")).lower(): one.get("value") for one in _listed(thing, "fields")}
        key, kind = ident(thing.get("objectId")), text_of(thing.get("objectType")).lower()
        if kind in {"account", "company"} and key and account is None:
            account = party(key, fields.get("name"))
        elif kind in {"opportunity", "deal"} and key and deal is None:
            stage = short(fields.get("stagename") or fields.get("dealstage"))
            closed = (stage or "").lower().replace(" ", "")
            deal = DealChange(
                key,
                at,
                amount=amount(fields.get("amount")),
                currency=currency(fields.get("currencyisocode") or fields.get("deal_currency_code")),
                stage=stage,
                outcome={"closedwon": "won", "closedlost": "lost"}.get(closed),
            )
    return account, deal


def _headers(connection: Connection, _token: str) -> Mapping[str, str]:
    login = f"{connection.option('access_key')}:{connection.option('access_key_secret')}"
    return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}


FETCHER = Fetcher(
    source=NAME,
    base_url="https://api.gong.io",
    credentials=(frozenset({"access_key", "access_key_secret"}),),
    headers=_headers,
    token_request=None,
    batch=BATCH,
    calls=(3, 1.0),
    streams=(CALL,),
    read=read,
    page=page,
)

"""HubSpot by API: notes, calls with transcripts, meetings and e-mails with owner, company, deal and contacts.

Sources: HubSpot's CRM objects v3 (`batch/read`, list, search), associations v4, owners v3, calling transcripts v3,
OAuth v1. A search gives at most 10,000 records, so one that reaches this goes on from the last change that it saw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from service.filters import milliseconds
from service.imports.mail_text import is_forward, own_words
from service.imports.transcripts import speaker_label, spoken_text
from service.notes.text import plain_text
from service.sources.contract import Change, Connection, DealChange, Deleted, NoteChange
from service.sources.fetching.contract import Api, Fetcher, NotAllowed, NotThere, Page, Records, Refused, TokenRequest
from service.sources.hubspot import NAME, NOTE_TYPES, TEXTS, TRANSCRIPT, TRANSCRIPT_IDS, note_id
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
    rich_text,
    short,
    text_of,
)

NOTES, MEETINGS, CALLS, EMAILS, DEALS, COMPANIES, CONTACTS = "0-46", "0-47", "0-48", "0-49", "0-3", "0-2", "0-1"
BATCH = 100
SEARCH_MOST = 9_900
_COMMON = ("hs_timestamp", "hs_lastmodifieddate", "hs_createdate", "hubspot_owner_id")
_PROPERTIES = {
    NOTES: ("hs_note_body", *_COMMON),
    MEETINGS: ("hs_meeting_body", "hs_internal_meeting_notes", "hs_meeting_start_time", *_COMMON),
    CALLS: ("hs_call_body", *TRANSCRIPT_IDS, *_COMMON),
    EMAILS: ("hs_email_subject", "hs_email_text", "hs_email_html", *_COMMON),
    DEALS: (
        "amount", "deal_currency_code", "dealstage", "hs_is_closed_won", "hs_is_closed_lost", "hs_is_closed",
        "hs_lastmodifieddate",
    ),
    COMPANIES: ("name",),
}  # fmt: skip
_BODIES = {
    NOTES: ("hs_note_body",),
    MEETINGS: ("hs_meeting_body", "hs_internal_meeting_notes"),
    CALLS: ("hs_call_body",),
}
_OWNERS = "owners"
_NO_TRANSCRIPTS = "no transcripts"
Owner = tuple[str, str]
"""An owner's name and address."""
_MAX_OWNER_PAGES = 50


def read(api: Api, _connection: Connection, object_type: str, ids: Sequence[str]) -> Records:
    """Read records by their ids."""
    found = _batch_read(api, object_type, ids)
    records = Records(gone=set(ids) - {str(ident(one.get("id"))) for one in found})
    return _with_links(api, object_type, found, records)


def page(api: Api, _connection: Connection, stream: str, since: datetime | None, cursor: str | None) -> Page:
    """Read a page: by search where a time is given, else of the whole list."""
    if since is not None:
        return _search(api, stream, since, cursor)
    params: dict[str, str | int] = {"limit": BATCH, "properties": ",".join(_PROPERTIES[stream])}
    if cursor:
        params["after"] = cursor
    document = api.get(f"/crm/v3/objects/{stream}", params)
    records = _with_links(api, stream, _results(document), Records())
    return Page(records, ident(part(document, "paging", "next").get("after")))


def _search(api: Api, stream: str, since: datetime, cursor: str | None) -> Page:
    """Search by time of change, in order; the cursor is `start of the window in ms:after`."""
    start, after = cursor.split(":") if cursor else (str(milliseconds(since)), "")
    body = {
        "filterGroups": [{"filters": [{"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": start}]}],
        "sorts": [{"propertyName": "hs_lastmodifieddate", "direction": "ASCENDING"}],
        "properties": list(_PROPERTIES[stream]),
        "limit": BATCH,
        **({"after": after} if after else {}),
    }
    document = api.post(f"/crm/v3/objects/{stream}/search", body)
    found = _results(document)
    records = _with_links(api, stream, found, Records())
    following = ident(part(document, "paging", "next").get("after"))
    if following is None or not following.isdigit():
        return Page(records)
    last = _changed_at(found[-1]) if found else None
    if int(following) >= SEARCH_MOST and last is not None:
        reached = milliseconds(last)
        return Page(records, f"{reached if reached > int(start) else int(start) + 1}:")
    return Page(records, f"{start}:{following}")


def _results(document: Any) -> list[dict[str, Any]]:
    found = document.get("results") if isinstance(document, dict) else None
    return [one for one in found or [] if isinstance(one, dict) and ident(one.get("id"))]


def _batch_read(api: Api, object_type: str, ids: Sequence[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for start in range(0, len(ids), BATCH):
        inputs = [{"id": key} for key in ids[start : start + BATCH]]
        body = {"properties": list(_PROPERTIES[object_type]), "inputs": inputs}
        found += _results(api.post(f"/crm/v3/objects/{object_type}/batch/read", body))
    return found


def _associated(api: Api, from_type: str, to_type: str, ids: Sequence[str]) -> dict[str, list[str]]:
    """Return the ids of associated records by the record's id; those that are primary come first."""
    linked: dict[str, list[str]] = {}
    for start in range(0, len(ids), BATCH):
        body = {"inputs": [{"id": key} for key in ids[start : start + BATCH]]}
        document = api.post(f"/crm/v4/associations/{from_type}/{to_type}/batch/read", body)
        for one in document.get("results") or [] if isinstance(document, dict) else []:
            key, ends = ident(part(one, "from").get("id")), one.get("to")
            ends = sorted((end for end in ends or [] if isinstance(end, dict)), key=lambda end: not _is_primary(end))
            if key:
                linked[key] = [other for end in ends if (other := ident(end.get("toObjectId")))]
    return linked


def _is_primary(end: Mapping[str, Any]) -> bool:
    kinds = end.get("associationTypes")
    return any("primary" in text_of(part(one).get("label")).lower() for one in kinds or [])


def _with_links(api: Api, object_type: str, found: Sequence[dict[str, Any]], records: Records) -> Records:
    """Add the changes that records mean."""
    ids = [str(ident(one["id"])) for one in found]
    if not ids:
        return records
    if object_type == DEALS:
        companies = _associated(api, DEALS, COMPANIES, ids)
        names = _company_names(api, companies)
        for key, one in zip(ids, found, strict=True):
            records.changes[key] = [deal_change(one, _account(companies.get(key, []), names))]
        return records
    links = _Links(api, object_type, ids)
    owners = _owners_by_id(api)
    for key, one in zip(ids, found, strict=True):
        records.changes[key] = list(_note(object_type, key, one, links, owners))
        if object_type == CALLS:
            records.changes[key] += _transcript(api, key, one, links, owners)
    records.changes[""] = list(links.deal_changes)
    return records


class _Links:
    """What notes hang on: deals, companies (else those of the deal, else of the contact) and contacts."""

    def __init__(self, api: Api, object_type: str, ids: Sequence[str]) -> None:
        self._deals = _associated(api, object_type, DEALS, ids)
        self._companies = _associated(api, object_type, COMPANIES, ids)
        self.contacts = _associated(api, object_type, CONTACTS, ids)
        deal_ids = sorted({key for keys in self._deals.values() for key in keys})
        self._deal_records = {str(ident(one["id"])): one for one in _batch_read(api, DEALS, deal_ids)}
        self._of_deals = _associated(api, DEALS, COMPANIES, deal_ids)
        alone = {key for note, keys in self.contacts.items() if not self._near(note) for key in keys}
        self._of_contacts = _associated(api, CONTACTS, COMPANIES, sorted(alone))
        self._names = _company_names(api, {**{key: self._near(key) for key in ids}, **self._of_contacts})
        self.deal_changes = [
            deal_change(one, _account(self._of_deals.get(key, []), self._names))
            for key, one in self._deal_records.items()
        ]

    def deal(self, note: str) -> str | None:
        """Return the deal that a note counts for: an open one before others, then the one that changed last."""
        known = [key for key in self._deals.get(note, []) if key in self._deal_records]
        return max(known, key=lambda key: _precedence(self._deal_records[key]), default=None)

    def _near(self, note: str) -> list[str]:
        deal = self.deal(note)
        return self._companies.get(note) or (self._of_deals.get(deal, []) if deal else [])

    def account(self, note: str) -> dict[str, Any] | None:
        """Return the company that a note is about."""
        distant = [company for key in self.contacts.get(note, []) for company in self._of_contacts.get(key, [])]
        return _account(self._near(note) or distant, self._names)


def _precedence(deal: Mapping[str, Any]) -> tuple[bool, int, str]:
    at = _changed_at(deal)
    return deal_change(deal).outcome == "open", milliseconds(at) if at else 0, str(deal["id"])


def _company_names(api: Api, linked: Mapping[str, Sequence[str]]) -> dict[str, str | None]:
    ids = sorted({keys[0] for keys in linked.values() if keys})
    return {
        str(ident(one["id"])): short(part(one, "properties").get("name")) for one in _batch_read(api, COMPANIES, ids)
    }


def _account(companies: Sequence[str], names: Mapping[str, str | None]) -> dict[str, Any] | None:
    return party(companies[0], names.get(companies[0])) if companies else None


def _owners_by_id(api: Api) -> dict[str, Owner]:
    """Return all owners, those who have left too; none where the token may not read them."""
    if _OWNERS not in api.memory:
        try:
            found = [one for archived in ("false", "true") for one in _owners(api, archived)]
        except NotAllowed:
            found = []
        api.memory[_OWNERS] = {
            str(ident(one["id"])): (_owner_name(one), text_of(one.get("email")).lower()) for one in found
        }
    known: dict[str, Owner] = api.memory[_OWNERS]
    return known


def _owners(api: Api, archived: str) -> Iterator[dict[str, Any]]:
    after: str | None = None
    for _ in range(_MAX_OWNER_PAGES):
        params: dict[str, str | int] = {"limit": BATCH, "archived": archived}
        document = api.get("/crm/v3/owners", {**params, "after": after} if after else params)
        yield from _results(document)
        after = ident(part(document, "paging", "next").get("after"))
        if not after:
            return


def _owner_name(owner: Mapping[str, Any]) -> str:
    name = short(" ".join(text_of(owner.get(field)) for field in ("firstName", "lastName")))
    return name or text_of(owner.get("email"))[:500]


def _changed_at(record: Mapping[str, Any]) -> datetime | None:
    return moment(part(record, "properties").get("hs_lastmodifieddate")) or moment(record.get("updatedAt"))


def deal_change(record: Mapping[str, Any], account: dict[str, Any] | None = None) -> DealChange:
    """Return what a deal is now."""
    values = part(record, "properties")
    stage = short(values.get("dealstage"))
    told = {name for name, value in values.items() if text_of(value).lower() == "true" or value is True}
    outcome = "open"
    if "hs_is_closed_won" in told or stage == "closedwon":
        outcome = "won"
    elif told & {"hs_is_closed_lost", "hs_is_closed"} or stage == "closedlost":
        outcome = "lost"
    return DealChange(
        str(ident(record.get("id"))),
        _changed_at(record),
        amount=amount(values.get("amount")),
        currency=currency(values.get("deal_currency_code")),
        stage=stage,
        outcome=outcome,
        account=account,
    )


def _texts(object_type: str, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give a record's texts, each with what its note's id ends in."""
    for name in _BODIES.get(object_type, ()):
        yield TEXTS[name], rich_text(values.get(name))
    if object_type == EMAILS:
        subject = text_of(values.get("hs_email_subject")).strip()
        body = text_of(values.get("hs_email_text")) or plain_text(rich_text(values.get("hs_email_html")))
        body = "\n".join(body.splitlines())
        own = own_words(body, forwarded=is_forward(subject))
        yield "", literal_text(f"{subject}\n\n{own}" if subject and own.strip() else own)


def _note(
    object_type: str, key: str, record: Mapping[str, Any], links: _Links, owners: Mapping[str, Owner]
) -> Iterator[Change]:
    changed = _changed_at(record)
    for suffix, text in _texts(object_type, part(record, "properties")):
        external_id = note_id(object_type, key) + suffix
        if text.strip():
            yield _note_change(external_id, text, NOTE_TYPES[object_type], key, record, links, owners)
        else:
            yield Deleted(external_id, changed, emptied=True)


def _note_change(
    external_id: str,
    text: str,
    kind: str,
    key: str,
    record: Mapping[str, Any],
    links: _Links,
    owners: Mapping[str, Owner],
    **fields: Any,
) -> NoteChange:
    values, changed = part(record, "properties"), _changed_at(record)
    happened = moment(values.get("hs_timestamp")) or moment(values.get("hs_createdate"))
    owner, deal = ident(values.get("hubspot_owner_id")), links.deal(key)
    item = note_item(
        NAME,
        external_id,
        text,
        kind=kind,
        occurred_at=iso(happened or changed),
        updated_at=iso(changed),
        author=party(owner, owners[owner][0] if owner in owners else None) if owner else None,
        account=links.account(key),
        deal={"id": deal} if deal else None,
        **fields,
    )
    return NoteChange(item, contacts=tuple(links.contacts.get(key, [])))


def _transcript(
    api: Api, key: str, record: Mapping[str, Any], links: _Links, owners: Mapping[str, Owner]
) -> list[Change]:
    """Return what was said in a call, as a note of its own; nothing where it is not there, or not to be read."""
    values = part(record, "properties")
    transcript = next((found for name in TRANSCRIPT_IDS if (found := ident(values.get(name)))), None)
    if transcript is None or not transcript.isascii() or not transcript.isalnum() or api.memory.get(_NO_TRANSCRIPTS):
        return []
    try:
        document = api.get(f"/crm/v3/extensions/calling/transcripts/{transcript}")
    except NotAllowed:  # the scope crm.extensions_calling_transcripts.read is not granted
        api.memory[_NO_TRANSCRIPTS] = True
        return []
    except (NotThere, Refused):
        return []
    text, language = _spoken(document, owners)
    if not text.strip():
        return []
    external_id = note_id(CALLS, key) + TRANSCRIPT
    return [_note_change(external_id, literal_text(text), "transcript", key, record, links, owners, language=language)]


def _spoken(document: Any, owners: Mapping[str, Owner]) -> tuple[str, str | None]:
    """Return the turns of a transcript with their speakers, and its language; owners and their colleagues are ours."""
    said = document if isinstance(document, dict) else {}
    turns = [one for one in said.get("transcriptUtterances") or said.get("utterances") or [] if isinstance(one, dict)]
    codes = [text_of(one.get("languageCode")).lower()[:2] for one in turns]
    language = max(("en", "fr"), key=codes.count)
    names = {name.casefold() for name, _ in owners.values() if name}
    domains = {email.partition("@")[2] for _, email in owners.values()} - {""}
    lines = []
    for turn in turns:
        speaker = part(turn, "speaker")
        name, email = text_of(speaker.get("name")), text_of(speaker.get("email")).lower()
        ours = name.casefold() in names or email.partition("@")[2] in domains
        words = " ".join(text_of(turn.get("text")).split())
        if words:
            label = speaker_label(name, ours=ours or (False if email else None), language=language)
            lines.append((label, words))
    return spoken_text(lines), language if language in codes else None


def _headers(_connection: Connection, token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _token_request(connection: Connection, base_url: str, refresh_token: str) -> TokenRequest:
    return TokenRequest(
        f"{base_url}/oauth/v1/token",
        {
            "grant_type": "refresh_token",
            "client_id": connection.option("client_id"),
            "client_secret": connection.option("client_secret") or connection.secrets[0],
            "refresh_token": refresh_token,
        },
    )


FETCHER = Fetcher(
    source=NAME,
    base_url="https://api.hubapi.com",
    credentials=(frozenset({"access_token"}), frozenset({"refresh_token", "client_id"})),
    headers=_headers,
    token_request=_token_request,
    batch=BATCH,
    calls=(190, 10.0),
    streams=(NOTES, CALLS, MEETINGS, EMAILS, DEALS),
    read=read,
    page=page,
)

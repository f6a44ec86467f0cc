"""Pipedrive by API: notes, activities and deals, with user, organisation and deal.

Source: Pipedrive's API; activities, deals and organisations of v2 (`ids`, `cursor`, `updated_since`), notes and users
of v1 (`start`), which have no v2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from service.sources.contract import Change, Connection, Deleted
from service.sources.fetching.contract import Api, Fetcher, NotAllowed, NotThere, Page, Records
from service.sources.pipedrive import NAME, deal_change, note_id, record_note
from service.sources.reading import ident, moment, part, party, rich_text, short

NOTE, ACTIVITY, DEAL = "note", "activity", "deal"
BATCH = 100
PAGE = 200
_PATHS = {ACTIVITY: "/api/v2/activities", DEAL: "/api/v2/deals", "organisation": "/api/v2/organizations"}
_USERS = "users"


def read(api: Api, _connection: Connection, stream: str, ids: Sequence[str]) -> Records:
    """Read records by their ids; notes one by one, for their API has no other way."""
    found: list[dict[str, Any]] = []
    if stream == NOTE:
        for key in ids:
            try:
                found.append(part(api.get(f"/api/v1/notes/{key}"), "data"))
            except NotThere:
                continue
    else:
        found = _by_ids(api, stream, ids)
    found = [one for one in found if ident(one) and not _is_deleted(one)]
    records = Records(gone=set(ids) - {str(ident(one)) for one in found})
    return _with_links(api, stream, found, records)


def page(api: Api, _connection: Connection, stream: str, since: datetime | None, cursor: str | None) -> Page:
    """Read a page: notes by their number, the others by the API's cursor."""
    changed = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if since else None
    params: dict[str, str | int] = {"limit": PAGE, **({"updated_since": changed} if changed else {})}
    if stream == NOTE:
        document = api.get("/api/v1/notes", {**params, "start": int(cursor or 0), "sort": "id ASC"})
        more = part(document, "additional_data", "pagination")
        following = ident(more.get("next_start")) if more.get("more_items_in_collection") is True else None
    else:
        params |= {"sort_by": "id", "sort_direction": "asc", **({"cursor": cursor} if cursor else {})}
        document = api.get(_PATHS[stream], params)
        following = ident(part(document, "additional_data").get("next_cursor"))
    found = [one for one in _data(document) if not _is_deleted(one)]
    return Page(_with_links(api, stream, found, Records()), following)


def _is_deleted(record: Mapping[str, Any]) -> bool:
    return record.get("active_flag") is False or record.get("is_deleted") is True


def _data(document: Any) -> list[dict[str, Any]]:
    found = document.get("data") if isinstance(document, dict) else None
    return [one for one in found or [] if isinstance(one, dict) and ident(one)]


def _by_ids(api: Api, stream: str, ids: Sequence[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for start in range(0, len(ids), BATCH):
        params: dict[str, str | int] = {"ids": ",".join(ids[start : start + BATCH]), "limit": BATCH}
        found += _data(api.get(_PATHS[stream], params))
    return found


def _user_names(api: Api) -> dict[str, str | None]:
    """Return the names of users; none where the token may not read them."""
    if _USERS not in api.memory:
        try:
            found = _data(api.get("/api/v1/users"))
        except NotAllowed:
            found = []
        api.memory[_USERS] = {str(ident(one)): short(one.get("name")) for one in found}
    known: dict[str, str | None] = api.memory[_USERS]
    return known


def _with_links(api: Api, stream: str, found: Sequence[dict[str, Any]], records: Records) -> Records:
    """Add the changes that records mean; a note's account is its organisation, else its deal's."""
    deals: dict[str, dict[str, Any]] = {}
    if stream != DEAL:
        wanted = sorted({key for one in found if (key := ident(one.get("deal_id")))})
        deals = {str(ident(one)): one for one in _by_ids(api, DEAL, wanted)} if wanted else {}
    linked = [*found, *deals.values()]
    organisations = sorted({key for one in linked if (key := ident(one.get("org_id")))})
    names = {str(ident(one)): short(one.get("name")) for one in _by_ids(api, "organisation", organisations)}

    def account(record: Mapping[str, Any]) -> dict[str, Any] | None:
        key = ident(record.get("org_id"))
        return party(key, names.get(key)) if key else None

    if stream == DEAL:
        for one in found:
            key = str(ident(one))
            records.changes[key] = [deal_change(key, one, moment(one.get("update_time")), account(one))]
        return records
    users = _user_names(api) if found else {}
    for one in found:
        near = account(one) or account(deals.get(ident(one.get("deal_id")) or "", {}))
        records.changes[str(ident(one))] = [_change(stream, one, near, users)]
    records.changes[""] = [
        deal_change(key, one, moment(one.get("update_time")), account(one)) for key, one in deals.items()
    ]
    return records


def _change(
    stream: str, record: Mapping[str, Any], account: dict[str, Any] | None, users: Mapping[str, str | None]
) -> Change:
    key, at = str(ident(record)), moment(record.get("update_time")) or moment(record.get("add_time"))
    text = rich_text(record.get("content" if stream == NOTE else "note"))
    if not text.strip():
        return Deleted(note_id(stream, key), at, emptied=True)
    user = ident(record.get("user_id")) or ident(record.get("owner_id"))
    return record_note(stream, key, text, record, at, party(user, users.get(user)) if user else None, account)


def _headers(connection: Connection, _token: str) -> Mapping[str, str]:
    return {"x-api-token": connection.option("api_token")}


FETCHER = Fetcher(
    source=NAME,
    base_url="https://api.pipedrive.com",
    credentials=(frozenset({"api_token"}),),
    headers=_headers,
    token_request=None,
    batch=BATCH,
    calls=(20, 2.0),
    streams=(NOTE, ACTIVITY, DEAL),
    read=read,
    page=page,
)

"""Zoho CRM by API v8: calls, meetings, tasks and deals, with owner, account and deal.

Source: Zoho's "Get records" (ids, `If-Modified-Since`, `page_token`) and its refresh of OAuth tokens. An answer without
records has no body (204, or 304 where nothing changed).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from service.sources.contract import Connection, Deleted, NoteChange
from service.sources.fetching.addresses import check_address
from service.sources.fetching.contract import Api, Fetcher, Page, Records, Refused, TokenRequest
from service.sources.reading import ident, moment, part, party, text_of
from service.sources.zoho import NAME, about, contacts, deal_account, deal_change, record_item

BATCH = 100
PAGE = 200
DEALS = "Deals"
ACCOUNTS_URL = "https://accounts.zoho.com"
_TOKEN_MARK = "token:"  # noqa: S105
_FIELDS = {
    "Calls": "Description,Call_Start_Time,Owner,What_Id,Who_Id,Created_Time,Modified_Time",
    "Events": "Description,Start_DateTime,Owner,What_Id,Who_Id,Created_Time,Modified_Time",
    "Tasks": "Description,Owner,What_Id,Who_Id,Created_Time,Modified_Time",
    DEALS: "Amount,Currency,Stage,Account_Name,Modified_Time",
}


def read(api: Api, _connection: Connection, stream: str, ids: Sequence[str]) -> Records:
    """Read records by their ids."""
    found = _by_ids(api, stream, ids)
    records = Records(gone=set(ids) - {str(ident(one)) for one in found})
    return _with_links(api, stream, found, records)


def page(api: Api, _connection: Connection, stream: str, since: datetime | None, cursor: str | None) -> Page:
    """Read a page of a module, by number or, past the first 2,000 records, by token."""
    params: dict[str, str | int] = {"fields": _FIELDS[stream], "per_page": PAGE}
    if cursor and cursor.startswith(_TOKEN_MARK):
        params["page_token"] = cursor.removeprefix(_TOKEN_MARK)
    else:
        params["page"] = int(cursor or 1)
    headers = {"If-Modified-Since": since.isoformat(timespec="seconds")} if since else None
    try:
        document = api.get(f"/crm/v8/{stream}", params, headers)
    except Refused:
        if "page_token" in params:  # a token lasts a day: begin the module again
            return Page(Records(), "1")
        raise
    info = part(document, "info")
    records = _with_links(api, stream, _data(document), Records())
    if info.get("more_records") is not True:
        return Page(records)
    token = info.get("next_page_token")
    return Page(records, f"{_TOKEN_MARK}{token}" if isinstance(token, str) and token else str(int(cursor or 1) + 1))


def _data(document: Any) -> list[dict[str, Any]]:
    found = document.get("data") if isinstance(document, dict) else None
    return [one for one in found or [] if isinstance(one, dict) and ident(one)]


def _by_ids(api: Api, stream: str, ids: Sequence[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for start in range(0, len(ids), BATCH):
        params = {"ids": ",".join(ids[start : start + BATCH]), "fields": _FIELDS[stream]}
        found += _data(api.get(f"/crm/v8/{stream}", params))
    return found


def _changed_at(record: Mapping[str, Any]) -> datetime | None:
    return moment(record.get("Modified_Time"))


def _with_links(api: Api, stream: str, found: Sequence[dict[str, Any]], records: Records) -> Records:
    """Add the changes that records mean; a record hangs on a deal or an account, by `$se_module`."""
    if stream == DEALS:
        for one in found:
            key = str(ident(one))
            records.changes[key] = [deal_change(key, one, _changed_at(one), deal_account(one))]
        return records
    wanted = {str(ident(held)) for one in found if (held := about(one, DEALS))}
    deals = {str(ident(one)): one for one in _by_ids(api, DEALS, sorted(wanted))} if wanted else {}
    for one in found:
        key, at = str(ident(one)), _changed_at(one)
        if not text_of(one.get("Description")).strip():
            records.changes[key] = [Deleted(key, at, emptied=True)]
            continue
        deal = ident(about(one, DEALS))
        account = about(one, "Accounts")
        near = party(account, account["name"]) if account else deal_account(deals.get(deal or "", {}))
        item = record_item(stream, key, one, at, deal={"id": deal} if deal else None, account=near)
        records.changes[key] = [NoteChange(item, contacts=contacts(one))]
    records.changes[""] = [deal_change(key, one, _changed_at(one), deal_account(one)) for key, one in deals.items()]
    return records


def _headers(_connection: Connection, token: str) -> Mapping[str, str]:
    return {"Authorization": f"Zoho-oauthtoken {token}"}


def _token_request(connection: Connection, _base_url: str, refresh_token: str) -> TokenRequest:
    accounts = check_address(connection.option("accounts_url") or ACCOUNTS_URL, "accounts_url")
    return TokenRequest(
        f"{accounts}/oauth/v2/token",
        {
            "grant_type": "refresh_token",
            "client_id": connection.option("client_id"),
            "client_secret": connection.option("client_secret"),
            "refresh_token": refresh_token,
        },
    )


FETCHER = Fetcher(
    source=NAME,
    base_url="https://www.zohoapis.com",
    credentials=(frozenset({"refresh_token", "client_id", "client_secret"}), frozenset({"access_token"})),
    headers=_headers,
    token_request=_token_request,
    batch=BATCH,
    calls=(100, 60.0),
    streams=("Calls", "Events", "Tasks", DEALS),
    read=read,
    page=page,
)

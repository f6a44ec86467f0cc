"""Links from a note to its record at the sender's, where the connection tells enough to make one.

A connection's option `record_url` is a template of its own: `https://crm.firm.com/notes/{id}`, with `{id}`, `{type}`
(what stands before the id, such as HubSpot's `0-48`), `{external_id}`, `{account}` and `{deal}`. Where a template names
what a note has not, there is no link.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from sqlalchemy.orm import Session

from service.sources.queries import list_connections
from service.tables import AccountTable, DealTable, NoteTable

CONFIGURED = "configured_connections"
"""The execution option of an engine that holds the connections of the settings, by source."""
_HUBSPOT = "https://app.hubspot.com/contacts/{portal_id}/record"
_DYNAMICS = "https://{organization}/main.aspx?pagetype=entityrecord"

# For each source the templates to try in turn; the first that can be filled wins. Names are a connection's options, or
# what is known of the note.
TEMPLATES: dict[str, tuple[str, ...]] = {
    "hubspot": (
        f"{_HUBSPOT}/0-3/{{deal}}/?engagement={{id}}",
        f"{_HUBSPOT}/0-2/{{account}}/?engagement={{id}}",
        f"{_HUBSPOT}/{{type}}/{{id}}",
    ),
    "salesforce": ("{instance_url}/{id}",),
    "flow": ("{instance_url}/{id}",),
    "pipedrive": (
        "https://{company_domain}.pipedrive.com/deal/{deal}",
        "https://{company_domain}.pipedrive.com/organization/{account}",
    ),
    "zoho": ("{org_url}/tab/Potentials/{deal}", "{org_url}/tab/Accounts/{account}"),
    "dynamics": (
        f"{_DYNAMICS}&etn=opportunity&id={{deal}}",
        f"{_DYNAMICS}&etn=account&id={{account}}",
        f"{_DYNAMICS}&etn=annotation&id={{id}}",
    ),
    "gong": ("{app_url}/call?id={id}", "https://app.gong.io/call?id={id}"),
}
OPTIONS: dict[str, dict[str, str]] = {
    "salesforce": {"instance_url": "https://firm.my.salesforce.com, for links to records"},
    "flow": {"instance_url": "https://firm.my.salesforce.com, for links to records"},
    "pipedrive": {"company_domain": "what stands before .pipedrive.com, for links to deals"},
    "zoho": {"org_url": "https://crm.zoho.eu/crm/org1234567, for links to deals and accounts"},
    "gong": {"app_url": "https://us-12345.app.gong.io, for links to calls"},
}
TEMPLATE_OPTION = {"record_url": "template of links to records, such as https://crm.firm.com/notes/{id}"}
_PLACE = re.compile(r"\{([a-z_]+)\}")
_WEB = re.compile(r"https?://[^\s<>\"'{}|\\^`]+")
_HOST_OPTIONS = frozenset({"company_domain", "organization"})
_NAMES = frozenset({"id", "type", "external_id", "account", "deal"})


def link_options(source: str) -> dict[str, str]:
    """Return the options of a source that links need."""
    return {**OPTIONS.get(source, {}), **TEMPLATE_OPTION}


def template_fault(value: Any) -> str | None:
    """Say what is wrong with a template; None where nothing is."""
    if not isinstance(value, str) or len(value) > 1000 or not _WEB.fullmatch(_PLACE.sub("x", value)):
        return "is a URL, such as https://crm.firm.com/notes/{id}"
    unknown = set(_PLACE.findall(value)) - _NAMES
    return f"may name {', '.join(sorted(_NAMES))}" if unknown or "{" in _PLACE.sub("", value) else None


def options_by_source(session: Session) -> dict[str, Mapping[str, Any]]:
    """Return the options of the first connection of each source that is in force: of the database, else the settings.

    Those of the settings come with the session's engine (`CONFIGURED`).
    """
    found: dict[str, Mapping[str, Any]] = {}
    for row in list_connections(session):
        if row.disabled_at is None:
            found.setdefault(row.source, row.options)
    configured: Mapping[str, Any] = session.get_bind().get_execution_options().get(CONFIGURED, {})
    for source, entry in configured.items():
        first = entry[0] if isinstance(entry, list) and entry else entry
        if isinstance(first, Mapping):
            found.setdefault(source, first)
    return found


def record_link(
    options: Mapping[str, Mapping[str, Any]],
    source: str,
    external_id: str,
    account: str | None = None,
    deal: str | None = None,
) -> str | None:
    """Return the link to a note's record; None where it can't be told.

    Args:
        options: The options of connections, by source.
        source: The note's source.
        external_id: The note's id there.
        account: The account's id.
        deal: The deal's id.
    """
    own = options.get(source)
    if own is None:
        return None
    kind, _, key = external_id.rpartition(":")
    known = {"id": key, "type": kind, "external_id": external_id, "account": _crm_id(account), "deal": deal or ""}
    templates = (str(own["record_url"]),) if own.get("record_url") else TEMPLATES.get(source, ())
    for template in templates:
        link = _filled(template, own, known)
        if link and _WEB.fullmatch(link):
            return link
    return None


def note_link(
    options: Mapping[str, Mapping[str, Any]], note: NoteTable, account: AccountTable | None, deal: DealTable | None
) -> str | None:
    """Return the link to the record of a stored note; None where it can't be told."""
    return record_link(
        options, note.source, note.external_id, account.key if account else None, deal.key if deal else None
    )


def _crm_id(account: str | None) -> str:
    """Return an account's id, if the CRM gave one: an account that is only named has none."""
    return "" if account is None or account.startswith("name:") else account


def _filled(template: str, own: Mapping[str, Any], known: Mapping[str, str]) -> str | None:
    """Fill a template; None where a value is missing. Values are escaped, but for the bases that an operator gave."""
    values = {name: quote(value, safe="") for name, value in known.items()}
    for name in _PLACE.findall(template):
        if name not in known:
            given = str(own.get(name) or "").strip().rstrip("/")
            values[name] = quote(given, safe=".-") if name in _HOST_OPTIONS or not given.startswith("http") else given
        if not values[name]:
            return None
    return _PLACE.sub(lambda place: values[place[1]], template)

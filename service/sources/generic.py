"""Zapier, Make, n8n, Flow and own code: JSON or forms, whose fields are found by name or by a mapping of one's own.

Numbers and dates come as text in local style; what is missing comes as "". Names are looked up as in an imported table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl

from service.errors import BadRequest, UnsupportedMedia
from service.imports.columns import map_columns
from service.imports.objects import cell, flatten
from service.imports.records import DateOrder, Options
from service.imports.tables import Table, table_records
from service.notes.intake import RejectedNote
from service.notes.schemas import IncomingNote
from service.sources.contract import (
    Aside,
    Change,
    Connection,
    Deleted,
    Delivery,
    Event,
    NoteChange,
    Parsed,
    Setup,
    Source,
)
from service.sources.multipart import read_form
from service.sources.proofs import check_token
from service.sources.reading import clean_text, iso, listed, load_body, moment, wrong_shape

OPTIONS = {
    "fields": 'which name of the sender is which field: {"Body text": "text", "Client": "account.name"}',
    "dates": "day_first (default) or month_first: what 03/02/2026 is",
}
_WRAPPERS = ("notes", "data", "items", "records", "note", "payload", "body", "json")
_MAX_FIELDS = 300
_DAY = re.compile(r"\s*[0-9]{1,9}\s*")  # 20260203, or a day as a spreadsheet counts them: no seconds since 1970


def parse(delivery: Delivery, connection: Connection) -> Parsed:
    """Read one note, a list of notes, or a form."""
    document = _document(delivery)
    if isinstance(document, list):
        items = listed(document, "body")
        return Parsed([Event(changes(item, connection.source, connection, delivery)) for item in items])
    if not isinstance(document, dict):
        raise wrong_shape("body", "is neither an object nor a list of objects")
    found = changes(document, connection.source, connection, delivery)
    return Parsed([Event(or_refused(found))])


def or_refused(found: list[Change]) -> list[Change]:
    """Return changes, or refuse a body of which nothing can be taken.

    Raises:
        InvalidInput: With the first fault.
    """
    if found and isinstance(found[0], Aside) and all(isinstance(change, Aside) for change in found):
        raise wrong_shape("body", found[0].reason)
    return found


def _document(delivery: Delivery) -> Any:
    kind = delivery.media_type
    if kind in {"", "application/json", "text/plain", "text/json"} or kind.endswith("+json"):
        return load_body(delivery.body)
    if kind == "application/x-www-form-urlencoded":
        try:
            pairs = parse_qsl(delivery.body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
        except ValueError:
            raise BadRequest("The form can't be read.", code="invalid_form") from None
        return {clean_text(name): clean_text(value) for name, value in pairs}
    if kind == "multipart/form-data":
        return {name: clean_text(value.decode("utf-8", "replace")) for name, value in read_form(delivery).items()}
    raise UnsupportedMedia("Send JSON or a form.")


def changes(document: Any, source: str, connection: Connection, delivery: Delivery, **known: Any) -> list[Change]:
    """Turn an object of the sender's shape into changes; one that holds a list of notes gives one for each.

    Args:
        document: What was sent.
        source: Source of the notes.
        connection: With the mapping.
        delivery: The request.
        known: Fields that the envelope tells (`external_id`, `updated_at`), for objects that lack them.
    """
    items = _unwrapped(document)
    if len(items) > 1:
        known = {}
    return [change for item in items for change in _changes(item, source, connection, known)]


def _unwrapped(document: Any) -> Sequence[Any]:
    """Return the objects that an envelope holds."""
    if isinstance(document, dict) and "text" not in document:
        for name in _WRAPPERS:
            inner = document.get(name)
            if isinstance(inner, list) and inner and all(isinstance(one, dict) for one in inner):
                return listed(inner, name)
            if isinstance(inner, dict) and len(document) <= 4:
                return [inner]
    return [document]


def _changes(item: Any, source: str, connection: Connection, known: dict[str, Any]) -> Iterator[Change]:
    if not isinstance(item, dict):
        yield Aside("shape", "is no object", item)
        return
    flat = {name: value for name, value in flatten(item).items() if value != ""}  # "" is a missing value
    if len(flat) > _MAX_FIELDS:
        yield Aside("too_many_fields", f"has over {_MAX_FIELDS} fields", item)
        return
    mapping = connection.options.get("fields")
    mapping = mapping if isinstance(mapping, dict) else {}
    told = map_columns(list(flat), mapping).fields
    flat |= {name: value for name, value in known.items() if value and name not in told}
    columns = map_columns(list(flat), mapping)
    cells = [cell(value) for value in flat.values()]
    for place in columns.of("occurred_at") + columns.of("updated_at"):
        if not _DAY.fullmatch(cells[place]):
            cells[place] = iso(moment(cells[place])) or cells[place]  # seconds or milliseconds since 1970, too
    deleted = [cells[place].strip().lower() for place in columns.of("deleted")]
    if any(value in {"true", "1", "yes", "oui", "vrai"} for value in deleted):
        ids = [cells[place].strip() for place in columns.of("external_id") if cells[place].strip()]
        at = [moment(cells[place]) for place in columns.of("updated_at")]
        yield Deleted(ids[0], next(iter(at), None)) if ids else Aside("no_id", "a deletion needs an id", item)
        return
    order = DateOrder.MONTH_FIRST if connection.option("dates") == "month_first" else DateOrder.DAY_FIRST
    table = Table(columns, order, Options(source=source))
    record = next(table_records(iter([(1, cells)]), table), None)
    if record is None:
        yield Aside("empty", "has no values", item)
    elif isinstance(record.note, RejectedNote):
        fault = record.note.error
        yield Aside(fault.code, f"{fault.field}: {fault.message}", item, record.note.external_id)
    else:
        yield NoteChange(as_item(record.note))
        for one in record.warnings:
            yield Aside(one.code, f"{one.field} {one.message}", item, record.note.external_id)


def as_item(note: IncomingNote) -> dict[str, Any]:
    """Return a checked note in the note format again, with only what was given."""
    return note.model_dump(mode="json", exclude_unset=True) | {"external_id": note.external_id, "source": note.source}


_SAMPLE = {
    "external_id": "crm-77",
    "text": "Ils trouvent le prix trop élevé.",
    "date": "03/02/2026",
    "account": "Harrow Foods",
    "deal_id": "d-9",
    "amount": "18 000,00 €",
    "owner": "",
}


def source(name: str, title: str, french: str = "") -> Source:
    """Make a source of this kind: the same but for its name, and what its sender is called in English and French."""
    return Source(
        name=name,
        verify=check_token,
        parse=parse,
        keys=True,
        options=OPTIONS,
        setup=Setup(
            en=f"1. Make a key: binome keys create {name} --scope ingest.\n"
            f"2. In {title}, add a step that POSTs JSON to {{url}}.\n"
            "3. Header: Authorization: Bearer KEY.\n"
            "4. Send id, text, date, owner, account, deal_id, amount: English and French names are known.\n"
            f'5. Other names: binome connections add {name} --option \'fields={{"Body": "text"}}\'.',
            fr=f"1. Créez une clé : binome keys create {name} --scope ingest.\n"
            f"2. Dans {french or title}, ajoutez une étape qui envoie (POST) du JSON à {{url}}.\n"
            "3. En-tête : Authorization: Bearer CLÉ.\n"
            "4. Envoyez id, texte, date, commercial, client, id opportunité, montant : les noms usuels sont connus.\n"
            f'5. Autres noms : binome connections add {name} --option \'fields={{"Corps": "text"}}\'.',
        ),
        sample=json.dumps(_SAMPLE, ensure_ascii=False),
    )

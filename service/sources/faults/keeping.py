"""What of a delivery is kept, so that it can be played again: its bytes, and no secret that proved it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy.orm import Session

from service.source_tables import KeptDeliveryTable, SetAsideTable
from service.sources.contract import Connection, Delivery
from service.sources.faults import queries

ERASED_CONTACT = "erased_contact"
MAX_KEPT_BYTES = 2 * 1024 * 1024
REDACTED = "***"
_PROOF = re.compile(r"auth|cookie|secret|password|signature|token|key|code", re.IGNORECASE)


def keep(session: Session, connection: Connection, delivery: Delivery, faults: Sequence[SetAsideTable]) -> None:
    """Keep a delivery with the faults that it has; one that is larger than 2 MB has to be sent again.

    Nothing is kept of a delivery that tells of an erased contact: its bytes hold the words that were not taken.
    """
    erased = any(fault.code == ERASED_CONTACT for fault in faults)
    if not faults or erased or len(delivery.body) > MAX_KEPT_BYTES:
        return
    body = delivery.body
    for secret in connection.secrets:  # Zoho's token is part of the body
        body = body.replace(secret.encode(), REDACTED.encode())
    row = KeptDeliveryTable(
        source=connection.source,
        connection=connection.name,
        method=delivery.method,
        headers={name: _shown(name, value, connection) for name, value in delivery.headers.items()},
        body=body,
        received_at=delivery.received_at,
    )
    queries.keep_delivery(session, faults, row)


def _shown(name: str, value: str, connection: Connection) -> str:
    """Return a header's value without what it proves; that the header was there may tell how the body is read."""
    proves = _PROOF.search(name) or any(secret in value for secret in connection.secrets)
    return "" if proves else value.replace("\x00", "")

"""`binome export person`: all that is held on a person."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import ValidationError

from service.cli.database import opened
from service.database import read_session
from service.errors import BinomeError
from service.persons.finding import gather, readable
from service.persons.schemas import PersonQuery


def person_export(asked: dict[str, str | None], *, as_text: bool) -> str:
    """Return what is held on a person, as JSON or to read.

    Raises:
        BinomeError: If it isn't said who.
    """
    try:
        wanted = PersonQuery(**asked)
    except ValidationError:
        raise BinomeError("Say who: --email, --name, --author or --contact.") from None
    with opened("export person") as engine, read_session(engine) as session:
        held = gather(session, wanted, datetime.now(UTC))
    return readable(held) if as_text else held.model_dump_json(indent=2) + "\n"

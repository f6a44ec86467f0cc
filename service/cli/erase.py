"""`binome erase`: a note, an account, a contact, an author or a person's name, wherever words of them stand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import ValidationError

from service.cli.database import opened
from service.cli.output import print_json
from service.database import write_session
from service.erasures.erasing import clean_bytes, perform, preview
from service.erasures.schemas import ErasureRequest, Subject, erasure_output
from service.errors import BinomeError
from service.field_words import in_words

BY = "command line"


def erase(
    kind: Annotated[Subject, typer.Argument(help="What to erase.")],
    id_: Annotated[str, typer.Argument(metavar="ID", help="Its id or name.")],
    source: Annotated[str | None, typer.Option("--source", help="Of a contact: the source of the id.")] = None,
    also: Annotated[list[str] | None, typer.Option("--also", help="Another name, address or number to strike.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Erase; without it, what would go is counted.")] = False,
) -> None:
    """Erase for good, through notes, findings, reports, imports and faults; without --yes, only count."""
    try:
        request = ErasureRequest(kind=kind, id=id_, source=source, also=also or [], confirm=yes)
    except ValidationError as error:
        raise BinomeError(f"{error.errors()[0]['loc'][0]}: {in_words(error.errors()[0])}.") from None
    now = datetime.now(UTC)
    with opened("erase") as engine:
        if not yes:
            print_json(preview(engine, request, now).model_dump())
            return
        with write_session(engine) as session:
            done = erasure_output(perform(session, request, BY, now))
        clean_bytes(engine)
    print_json(done.model_dump(mode="json"))

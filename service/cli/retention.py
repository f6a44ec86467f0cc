"""`binome retention`: how long notes are kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from service.cli.database import opened
from service.cli.output import print_json
from service.database import read_session
from service.errors import BinomeError
from service.retention.schemas import MAX_DAYS, RetentionChange
from service.retention.setting import change_rule, read_retention

BY = "command line"


def retention(
    days: Annotated[int | None, typer.Option(min=1, max=MAX_DAYS, help="Keep notes so many days.")] = None,
    source: Annotated[
        str | None, typer.Option(help="Of this source; without it, of all that have no own rule.")
    ] = None,
    forever: Annotated[bool, typer.Option("--forever", help="Take the rule back.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Set it; without it, what would go is counted.")] = False,
) -> None:
    """Tell how long notes are kept, or set it; a worker erases what is past it."""
    now = datetime.now(UTC)
    if days is not None and forever:
        raise BinomeError("--days and --forever: give one of them.")
    with opened("retention") as engine:
        if days is None and not forever:
            with read_session(engine) as session:
                told = read_retention(session, now)
        else:
            told = change_rule(engine, RetentionChange(source=source or None, days=days, confirm=yes), BY, now)
    print_json(told.model_dump(mode="json"))

"""The database of a command; what the command does is written into the audit log, without its arguments."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from service.audit.acts import Act, acting, insert_acts
from service.database import write_session
from service.settings import Settings, load_settings
from service.start import open_database


@contextmanager
def opened(command: str, settings: Settings | None = None, *, opening_secrets: bool = True) -> Iterator[sa.Engine]:
    """Open the database for a command.

    Args:
        command: Its name, such as `keys create`.
        settings: Those that were read already.
        opening_secrets: Whether the database's secrets have to be readable.

    Raises:
        StartRefused: If the database can't be opened.
    """
    place: dict[str, Any] = {"request_id": "", "address": None, "subject": {}, "filters": {}, "status": 0}
    described, actor = {**place, "action": f"binome {command}"}, f"command:{_user()}"
    act = Act(lambda: described, actor)
    with open_database(settings or load_settings(), opening_secrets=opening_secrets) as engine:
        with acting(act):
            yield engine
        if not act.written:
            with write_session(engine) as session:
                row = {"at": datetime.now(UTC), "actor": actor, "changed": None, "times": 1, **described}
                insert_acts(session, [row])


def _user() -> str:
    """Return the name of who runs the command, as the system knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"

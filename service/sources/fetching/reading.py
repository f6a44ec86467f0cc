"""Reading records of one connection, where one bad record must not lose the others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from service.sources.contract import Connection
from service.sources.fetching.contract import Api, CallFailed, Fetcher, NotThere, Page, Records, Refused


class Unreadable(CallFailed):
    """A record is not of the form that its source documents."""


def read_records(
    api: Api, fetcher: Fetcher, connection: Connection, stream: str, ids: Sequence[str]
) -> tuple[Records, dict[str, str]]:
    """Read records by their ids; where the whole is refused, one by one.

    Returns:
        The records, and why the others can't be fetched, by their ids.

    Raises:
        CallFailed: If the API can't answer now, or not to this connection.
    """
    faults = {key: "its id can't stand in a URL" for key in ids if not fetcher.valid_id(key)}
    if stream not in fetcher.streams:
        return Records(), dict.fromkeys(ids, f"records of kind {stream[:60]} are not fetched")
    sound = [key for key in ids if key not in faults]
    try:
        return (_read(api, fetcher, connection, stream, sound) if sound else Records()), faults
    except (Refused, Unreadable, NotThere) as failure:
        if len(sound) == 1:
            if isinstance(failure, NotThere):
                return Records(gone=set(sound)), faults
            return Records(), {**faults, sound[0]: str(failure)}
    whole = Records()
    for key in sound:
        records, found = read_records(api, fetcher, connection, stream, [key])
        whole.changes[""] = whole.changes.get("", []) + records.changes.pop("", [])
        whole.changes |= records.changes
        whole.gone |= records.gone
        whole.unready |= records.unready
        faults |= found
    return whole, faults


def read_page(
    api: Api, fetcher: Fetcher, connection: Connection, stream: str, since: datetime | None, cursor: str | None
) -> Page:
    """Read a page of a stream.

    Raises:
        CallFailed: If it can't be read.
    """
    try:
        return fetcher.page(api, connection, stream, since, cursor)
    except CallFailed:
        raise
    except Exception as error:
        raise _unreadable(error) from None


def _read(api: Api, fetcher: Fetcher, connection: Connection, stream: str, ids: Sequence[str]) -> Records:
    try:
        return fetcher.read(api, connection, stream, ids)
    except CallFailed:
        raise
    except Exception as error:  # whatever an API answers is its content's fault, and no reason to stop the worker
        raise _unreadable(error) from None


def _unreadable(error: Exception) -> Unreadable:
    return Unreadable(f"the answer is not of the documented form ({type(error).__name__})")

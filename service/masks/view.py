"""What of a note a caller may see: hidden by default, shown to who has the right `personal`.

Whoever shows words of notes asks here. A session knows whom it reads for: a request's is told when its caller is known
(`service.dependencies`); any other, of a report, a digest or a webhook, shows nothing personal. What is hidden keeps
its length, so that offsets are the same for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.orm import Session, object_session
from starlette.datastructures import State

from service.tables import NoteTable

SIGN = "\N{FULL BLOCK}"
_STATE = "request_state"


def read_for(session: Session, state: State) -> None:
    """Have a session show what the caller of a request may see; who that is may be found out later."""
    session.info[_STATE] = state


def sees_personal(session: Session | None) -> bool:
    """Tell whether who a session reads for may see what names persons."""
    state = session.info.get(_STATE) if session else None
    return getattr(state, "sees_personal", False) is True


def shown_text(note: NoteTable) -> str:
    """Return a note's text as its session may show it, of the same length."""
    return note.text if sees_personal(object_session(note)) else hidden_text(note.text, note.masks)


def shown_words(note: NoteTable, start: int, end: int, words: str) -> str:
    """Return words that stood at a place of a note as its session may show them.

    Where the text says something else there now, it is not known what they name: all of them are hidden.
    """
    if sees_personal(object_session(note)):
        return words
    if note.text[start:end] == words:
        return hidden_text(note.text, note.masks)[start:end]
    return _bar(words)


def is_hidden(text: str) -> bool:
    """Tell whether something of a text is hidden."""
    return SIGN in text


def hidden_text(text: str, masks: Sequence[Sequence[Any]] | None) -> str:
    """Return a text without what names persons; all is hidden where that is not known."""
    if masks is None:
        return _bar(text)
    parts, at = [], 0
    for start, end, *_ in masks:
        parts += [text[at:start], SIGN * (end - start)]
        at = end
    return "".join([*parts, text[at:]])


def masked_parts(text: str, masks: Iterable[Sequence[Any]]) -> list[str]:
    """Return what names persons in a text."""
    return [text[start:end] for start, end, *_ in masks]


def _bar(text: str) -> str:
    return "".join(sign if sign.isspace() else SIGN for sign in text)

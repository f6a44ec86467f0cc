"""Keeping what names persons in a note, without what is a customer's name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.types import Personal, PersonalKind
from service.filters import name_key
from service.tables import AccountTable, NoteTable

_PART = 500  # names that one statement asks for
_WORD = re.compile(r"[^\W_]+")


def masks_by_note(
    session: Session, notes: Sequence[NoteTable], found: Mapping[int, Sequence[Personal]]
) -> dict[int, list[list[Any]]]:
    """Return what `NoteTable.masks` keeps of what was found, by the note's id.

    What is read as a person's name and is an account's whole name, or made of words of the own account's name, is none.
    """
    persons = {name_key(name) for note in notes for name in _names(note, found[note.id])}
    accounts = _accounts_named(session, sorted(persons))
    own = _own_words(session, notes)
    return {
        note.id: [
            [one.start, one.end, str(one.kind)]
            for one in found[note.id]
            if one.kind is not PersonalKind.PERSON
            or not _is_firm(note.text[one.start : one.end], accounts, own.get(note.account_id or 0, frozenset()))
        ]
        for note in notes
    }


def _names(note: NoteTable, found: Sequence[Personal]) -> list[str]:
    return [note.text[one.start : one.end] for one in found if one.kind is PersonalKind.PERSON]


def _is_firm(name: str, accounts: frozenset[str], own: frozenset[str]) -> bool:
    return name_key(name) in accounts or _words(name) <= own


def _words(name: str) -> frozenset[str]:
    return frozenset(word.casefold() for word in _WORD.findall(name))


def _accounts_named(session: Session, keys: Sequence[str]) -> frozenset[str]:
    known = set[str]()
    for begin in range(0, len(keys), _PART):
        query = sa.select(AccountTable.name_key).where(AccountTable.name_key.in_(keys[begin : begin + _PART]))
        known.update(key for key in session.scalars(query) if key)
    return frozenset(known)


def _own_words(session: Session, notes: Sequence[NoteTable]) -> dict[int, frozenset[str]]:
    """Return the words of the names of the notes' accounts, by the account's row."""
    ids = {note.account_id for note in notes if note.account_id}
    rows = session.execute(sa.select(AccountTable.id, AccountTable.name).where(AccountTable.id.in_(ids)))
    return {row.id: _words(row.name or "") for row in rows}

"""Columns whose values are sealed in the database and open in Python, by the keys that go with the engine."""

from __future__ import annotations

import json
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from service.sealing.keyring import Keyring

_KEYRINGS: WeakKeyDictionary[sa.Dialect, Keyring] = WeakKeyDictionary()  # each engine has a dialect of its own


def give_keys(engine: sa.Engine, keyring: Keyring) -> None:
    """Let an engine seal and open."""
    _KEYRINGS[engine.dialect] = keyring


def keys_of(dialect: sa.Dialect) -> Keyring:
    """Return the keys of an engine's dialect."""
    keyring = _KEYRINGS.get(dialect)
    if keyring is None:
        raise RuntimeError("this engine was given no keys: make_engine(url, keyring=…)")
    return keyring


class Sealed(sa.TypeDecorator[str]):
    """A text that is sealed; it can't be searched for, for the same text is sealed differently each time."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Seal."""
        return None if value is None else keys_of(dialect).seal(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Open."""
        return None if value is None else keys_of(dialect).open(value)


class SealedDocument(sa.TypeDecorator[dict[str, Any]]):
    """A JSON object that is sealed as a whole."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: sa.Dialect) -> str | None:
        """Seal."""
        return None if value is None else keys_of(dialect).seal(json.dumps(value))

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> dict[str, Any] | None:
        """Open."""
        if value is None:
            return None
        document: dict[str, Any] = json.loads(keys_of(dialect).open(value))
        return document

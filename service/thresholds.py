"""The least accounts and authors that a figure has to stand on to be shown, where an operator set any.

What stands on fewer is withheld from everybody: it is left out and counted, never told. A part that is withheld takes
the smallest of the others along until those withheld together stand on enough, or the sum would give it away.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from service.errors import InvalidInput, NotFound

OPTION = "thresholds"
"""The execution option of an engine that holds the thresholds of this installation."""
WITHHELD = "withheld"
"""The code of errors that refuse what stands on too few."""

Key = TypeVar("Key", bound=Hashable)


@dataclass(slots=True)
class Voices:
    """Who said a thing: row ids of accounts and authors."""

    accounts: set[int] = field(default_factory=set)
    authors: set[int] = field(default_factory=set)

    def add(self, account: int | None, author: int | None) -> None:
        """Add who said it once; 0 and None are nobody known."""
        self.accounts |= {account} if account else set()
        self.authors |= {author} if author else set()

    def __or__(self, other: Voices) -> Voices:
        return Voices(self.accounts | other.accounts, self.authors | other.authors)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The least accounts and authors behind what is shown; 0 and 1 set no threshold."""

    accounts: int = 0
    authors: int = 0

    @property
    def are_set(self) -> bool:
        """Whether anything is withheld at all."""
        return self.accounts > 1 or self.authors > 1

    def hide(self, accounts: int, authors: int) -> bool:
        """Tell whether what so many said is withheld."""
        few_accounts = self.accounts > 1 and accounts < self.accounts
        return few_accounts or (self.authors > 1 and authors < self.authors)

    def hide_voices(self, voices: Voices) -> bool:
        """Tell whether what they said is withheld."""
        return self.hide(len(voices.accounts), len(voices.authors))

    def hidden_parts(self, parts: Mapping[Key, Voices]) -> set[Key]:
        """Return the parts of a whole that are withheld: those on too few, and what keeps them from being told.

        Args:
            parts: Who is behind each part; parts that nobody is behind are left out.
        """
        hidden = {key for key, voices in parts.items() if self.hide_voices(voices)}
        together = Voices()
        for key in hidden:
            together |= parts[key]
        size = {key: (len(voices.accounts), len(voices.authors)) for key, voices in parts.items()}
        for key in sorted(parts.keys() - hidden, key=lambda key: (size[key], str(key))):
            if not hidden or not self.hide_voices(together):
                break
            hidden.add(key)
            together |= parts[key]
        return hidden


NONE = Thresholds()


def thresholds_of(session: Session) -> Thresholds:
    """Return the thresholds of this installation: those that the session's engine was given, else none."""
    thresholds: Thresholds = session.get_bind().get_execution_options().get(OPTION, NONE)
    return thresholds


def voices_by(rows: Iterable[Any]) -> dict[Any, Voices]:
    """Gather rows of a key, an account and an author by key."""
    found: dict[Any, Voices] = {}
    for key, account, author in rows:
        found.setdefault(key, Voices()).add(account, author)
    return found


def refuse_single(thresholds: Thresholds, *, account: str | None, author: str | None) -> None:
    """Refuse filters that leave a single account or author.

    Raises:
        InvalidInput: Naming the filter, if one is set and there is a threshold for it.
    """
    for name, value, least in (("account", account, thresholds.accounts), ("author", author, thresholds.authors)):
        if value is not None and least > 1:
            raise InvalidInput(
                f"{name}: nothing is shown here of fewer than {least} {name}s: leave this filter out.",
                errors=[{"field": name, "code": WITHHELD, "message": f"leaves fewer than {least} {name}s"}],
            )


def too_few() -> NotFound:
    """Return the error for an item that is withheld; one that nobody said has the same, so that it tells nothing."""
    return NotFound(
        "Too few accounts or authors said this, or nobody did: it is not shown for this period and these filters.",
        code="withheld",
    )

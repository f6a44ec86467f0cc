"""Authors under the names that tell nobody who they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, object_session

from service.errors import Forbidden
from service.masks.view import sees_personal
from service.tables import AuthorTable


def shown_author(author: AuthorTable) -> tuple[str, str | None]:
    """Return id and name of an author as its session may show them: the pseudonym is an id without a name."""
    if sees_personal(object_session(author)):
        return author.key, author.name
    return author.pseudonym or "rep", None


def check_author_filters(session: Session, asked: Iterable[str]) -> None:
    """Refuse to look for an author by anything but a pseudonym.

    Raises:
        Forbidden: If one is none; also where no author has it, so that nobody can try out ids.
    """
    wanted = set(asked)
    if wanted and len(_pseudonyms(session, wanted)) < len(wanted):
        raise Forbidden("author: this caller lacks the scope personal: give an author's id as notes show it, rep-….")


def _pseudonyms(session: Session, asked: Iterable[str]) -> set[str | None]:
    known = AuthorTable.pseudonym.in_(sorted(asked))
    return set(session.scalars(sa.select(AuthorTable.pseudonym).where(known)))


def told_filters(session: Session, filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return filters as everybody may read them: an author's id becomes the pseudonym."""
    author = filters.get("author")
    if not author:
        return dict(filters)
    same = sa.or_(AuthorTable.key == author, AuthorTable.pseudonym == author)
    known = session.scalar(sa.select(AuthorTable.pseudonym).where(same).order_by(AuthorTable.id).limit(1))
    return {**filters, "author": known or "rep"}

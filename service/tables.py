"""All tables. A "table" is an SQLAlchemy class here; "model" means a language model.

Times are UTC. Findings repeat the note's day, account, author and deal, so that counting needs no join.
"""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import ForeignKey, Index, MetaData, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, validates


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A time with its zone; stored in UTC on both databases."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Refuse naive times and convert to UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time needs its zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Give the time back in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Json = sa.JSON()


def new_pseudonym() -> str:
    """Make up a name such as "rep-3f9a01c2" for an author."""
    return f"rep-{secrets.token_hex(4)}"


def _where(condition: str) -> dict[str, Any]:
    """Return the arguments of an index of some rows, for both databases."""
    return dict.fromkeys(("sqlite_where", "postgresql_where"), sa.text(condition))


class Table(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {datetime: UtcDateTime, dict[str, Any]: Json, list[str]: Json, int: Big}


class AccountTable(Table):
    """A customer or prospect.

    `key` is the CRM's id, or `name:` and `name_key` where it gives none; `name_key` is the name without case and
    spaces. `named_ms` orders what the CRM's own events say of the name.
    """

    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str | None]
    name_key: Mapped[str | None] = mapped_column(index=True)
    segment: Mapped[str | None] = mapped_column(index=True)
    named_ms: Mapped[int] = mapped_column(default=0, server_default="0")


class AuthorTable(Table):
    """Who wrote notes. Never ranked. `pseudonym`, made up at random, is shown to who may not see who it is."""

    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str | None]
    team: Mapped[str | None] = mapped_column(index=True)
    pseudonym: Mapped[str | None] = mapped_column(index=True, unique=True, default=new_pseudonym)


class DealTable(Table):
    """A deal as its latest note tells it: a later outcome counts for all its notes.

    `account_id` is whose deal it is, where an event told that: notes of the deal that name no account have this one.
    """

    __tablename__ = "deals"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    amount: Mapped[float | None]
    currency: Mapped[str | None]
    stage: Mapped[str | None]
    outcome: Mapped[str] = mapped_column(default="open", index=True)
    version_ms: Mapped[int] = mapped_column(default=0)
    account_id: Mapped[int | None]


class NoteTable(Table):
    """A note, and at the same time the intent to analyse it.

    `revision` grows with each change of content. A note waits for a job while `queued_revision < revision`, and for its
    findings while `analysed_revision < revision`. `version_ms` orders edits; a deletion is a tombstone (`deleted_at`,
    empty text) under the same rule. `failure` is why the current revision can't be analysed. `duplicate_of` is the note
    that another source brought first: this one has no findings of its own and is not counted. `traceparent` names the
    span of the request that brought the revision. `masks` are the places in the text that name persons or lead to them,
    each `[start, end, kind]` (`models.types.PersonalKind`), in order and apart; null while they are not known.
    """

    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    external_id: Mapped[str]
    kind: Mapped[str]
    text: Mapped[str] = mapped_column(sa.Text)
    declared_language: Mapped[str | None]
    occurred_at: Mapped[datetime]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("authors.id"))
    deal_id: Mapped[int | None] = mapped_column(ForeignKey("deals.id"))
    content_hash: Mapped[str]
    version_ms: Mapped[int]
    revision: Mapped[int] = mapped_column(default=1)
    queued_revision: Mapped[int] = mapped_column(default=0)
    analysed_revision: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    failure: Mapped[str | None]
    language: Mapped[str | None]
    analyzer_version: Mapped[str | None]
    analysed_at: Mapped[datetime | None]
    received_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    duplicate_of: Mapped[int | None]
    traceparent: Mapped[str | None]
    masks: Mapped[list[list[Any]] | None] = mapped_column(sa.JSON(none_as_null=True))

    @validates("text")
    def _changed(self, _name: str, text: str) -> str:
        """Forget the masks of another text."""
        if text != self.text:
            self.masks = None
        return text

    __table_args__ = (
        UniqueConstraint("source", "external_id"),
        Index(
            "ix_notes_day",  # all that counting and filtering the notes of a period looks at: their texts stay unread
            "occurred_at",
            "id",
            "account_id",
            "author_id",
            "deal_id",
            "language",
            "kind",
            "source",
            "analysed_revision",
            "deleted_at",
            "duplicate_of",
            **_where("deleted_at IS NULL"),
        ),
        Index(  # few notes are duplicates; an index of all would tempt those who ask for the others
            "ix_notes_duplicate_of",
            "duplicate_of",
            **_where("duplicate_of IS NOT NULL"),
        ),
        Index(
            "ix_notes_waiting",
            "id",
            **_where("queued_revision < revision"),
        ),
        Index(
            "ix_notes_unanalysed",
            "id",
            **_where("analysed_revision < revision"),
        ),
    )


class _Finding:
    """Columns that every finding repeats from its note.

    Each table has an index that starts with the item and the day and holds all that is counted: a period's measures
    are read from it alone, in the order in which they are grouped.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    note_id: Mapped[int] = mapped_column(ForeignKey("notes.id", ondelete="CASCADE"), index=True)
    occurred_on: Mapped[date]
    account_id: Mapped[int | None]
    author_id: Mapped[int | None]
    deal_id: Mapped[int | None]
    start: Mapped[int]
    end: Mapped[int]


_COUNTED = ("occurred_on", "note_id", "account_id", "author_id", "deal_id")
_PLACE = ("start", "end")


class ObjectionTable(_Finding, Table):
    """An objection of a note.

    An id is never given twice (`sqlite_autoincrement`): a correction that comes late must not hit another finding.
    `corrected` marks what a person changed or added.
    """

    __tablename__ = "objections"
    quote: Mapped[str] = mapped_column(sa.Text)
    type: Mapped[str]
    status: Mapped[str]
    score: Mapped[float | None]
    origin: Mapped[str]
    corrected: Mapped[bool] = mapped_column(default=False, server_default=sa.false())

    __table_args__ = (
        Index("ix_objections_item", "type", *_COUNTED, "status", *_PLACE),
        {"sqlite_autoincrement": True},
    )


class CompetitorMentionTable(_Finding, Table):
    """A competitor's name at one place; `name_key` is the name without case and spaces.

    Ids and `corrected` are as in `ObjectionTable`.
    """

    __tablename__ = "competitor_mentions"
    quote: Mapped[str] = mapped_column(sa.Text)
    name: Mapped[str]
    name_key: Mapped[str]
    known: Mapped[bool]
    relation: Mapped[str]
    standing: Mapped[str]
    score: Mapped[float | None]
    origin: Mapped[str]
    corrected: Mapped[bool] = mapped_column(default=False, server_default=sa.false())

    __table_args__ = (
        Index("ix_competitor_mentions_item", "name_key", *_COUNTED, "known", "relation", "standing", *_PLACE),
        {"sqlite_autoincrement": True},
    )


class CorrectionTable(Table):
    """What a person said is wrong about a finding, or missing.

    `start`, `end` and `quote` are where the analyser found it, or where the person marks what it missed; corrections of
    one finding share them. `prefix` and `suffix` are the words around, by which the place is known again in an edited
    text. `found` holds the finding's values before, `right` those that the person gives: null means "no such thing".
    """

    __tablename__ = "corrections"
    id: Mapped[int] = mapped_column(primary_key=True)
    note_id: Mapped[int] = mapped_column(ForeignKey("notes.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    finding_id: Mapped[int | None] = mapped_column(index=True)
    start: Mapped[int]
    end: Mapped[int]
    quote: Mapped[str] = mapped_column(sa.Text)
    prefix: Mapped[str]
    suffix: Mapped[str]
    found: Mapped[dict[str, Any] | None]
    right: Mapped[dict[str, Any] | None]
    state: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime]

    __table_args__ = ({"sqlite_autoincrement": True},)


class CorrectedNoteTable(Table):
    """What the analyser found in a note that has corrections: its rows by kind, as they stood before."""

    __tablename__ = "corrected_notes"
    note_id: Mapped[int] = mapped_column(ForeignKey("notes.id", ondelete="CASCADE"), primary_key=True)
    found: Mapped[dict[str, Any]]


class ThemeTable(Table):
    """A theme with a life of its own: fits come and go, `key` stays and is never given twice.

    `label_edited` and `area_edited` mark what a person wrote; a fit never overwrites it. `description` is a declared
    theme's. A `locked` theme is never retired by a fit. `merged_into` says where a merged theme went; with `alias`,
    what fits find under its key goes there too. `missed` counts the fits in a row that did not find it. `origin` is the
    centroid that it began with; empty before anything is compared with it. `x` and `y` are its place on the map, in
    [0, 1].
    """

    __tablename__ = "themes"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    label_en: Mapped[str]
    label_fr: Mapped[str]
    label_edited: Mapped[bool] = mapped_column(default=False)
    keywords: Mapped[dict[str, Any]]
    centroid: Mapped[bytes]
    origin: Mapped[bytes] = mapped_column(default=b"", server_default="")
    state: Mapped[str] = mapped_column(default="active", index=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    description: Mapped[str | None] = mapped_column(sa.Text)
    locked: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    muted: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    area: Mapped[str | None]
    area_edited: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    nature: Mapped[str | None]
    merged_into: Mapped[int | None]
    alias: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    missed: Mapped[int] = mapped_column(default=0, server_default="0")
    x: Mapped[float | None]
    y: Mapped[float | None]


class ThemeFitTable(Table):
    """One run of the theme engine; `detail` says what came of the themes, and why a fit was due."""

    __tablename__ = "theme_fits"
    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str]
    trigger: Mapped[str]
    passages: Mapped[int]
    assigned: Mapped[int]
    themes: Mapped[int]
    finished_at: Mapped[datetime]
    detail: Mapped[dict[str, Any] | None]


class ThemeEventTable(Table):
    """What happened to a theme: born, matched, relabelled, retired; which fit, why, who."""

    __tablename__ = "theme_events"
    id: Mapped[int] = mapped_column(primary_key=True)
    theme_id: Mapped[int] = mapped_column(ForeignKey("themes.id", ondelete="CASCADE"), index=True)
    fit_id: Mapped[int | None] = mapped_column(ForeignKey("theme_fits.id"))
    kind: Mapped[str]
    detail: Mapped[dict[str, Any]]
    actor: Mapped[str]
    happened_at: Mapped[datetime]
    change_id: Mapped[int | None]


class ThemeChangeTable(Table):
    """What a person changed about themes: `detail` holds what undoing needs, and the effect in counts."""

    __tablename__ = "theme_changes"
    id: Mapped[int] = mapped_column(primary_key=True)
    theme_id: Mapped[int] = mapped_column(ForeignKey("themes.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    detail: Mapped[dict[str, Any]]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    undone_by: Mapped[str | None]
    undone_at: Mapped[datetime | None]


class ThemeMoveTable(Table):
    """A passage that a change moved: where from, and whether it was pinned there."""

    __tablename__ = "theme_moves"
    id: Mapped[int] = mapped_column(primary_key=True)
    change_id: Mapped[int] = mapped_column(ForeignKey("theme_changes.id", ondelete="CASCADE"), index=True)
    passage_id: Mapped[int] = mapped_column(ForeignKey("passages.id", ondelete="CASCADE"), index=True)
    from_theme_id: Mapped[int | None]
    was_pinned: Mapped[bool]


class ThemePinTable(Table):
    """A passage that a person put into a theme, or into none, by its words: it outlives new readings of its note."""

    __tablename__ = "theme_pins"
    id: Mapped[int] = mapped_column(primary_key=True)
    note_id: Mapped[int] = mapped_column(ForeignKey("notes.id", ondelete="CASCADE"), index=True)
    theme_id: Mapped[int | None] = mapped_column(ForeignKey("themes.id", ondelete="CASCADE"), index=True)
    quote: Mapped[str] = mapped_column(sa.Text)


class PassageTable(_Finding, Table):
    """A passage of a note with its vectors (float16 bytes) and its theme, if any; `pinned` where a person put it.

    `theme_vector` is empty where the note was read before there was a space of themes.

    An id is never given twice, as in `ObjectionTable`: the index by meaning keeps passages by it.
    """

    __tablename__ = "passages"
    language: Mapped[str]
    vector: Mapped[bytes]
    theme_vector: Mapped[bytes] = mapped_column(default=b"", server_default="")
    theme_id: Mapped[int | None] = mapped_column(ForeignKey("themes.id", ondelete="SET NULL"))
    similarity: Mapped[float | None]
    pinned: Mapped[bool] = mapped_column(default=False, server_default=sa.false())

    __table_args__ = (
        Index("ix_passages_item", "theme_id", *_COUNTED, *_PLACE),
        {"sqlite_autoincrement": True},
    )


class CatalogNameTable(Table):
    """A name of ours (`us`), a competitor with its aliases (`competitor`), or a name that is none (`dismissed`)."""

    __tablename__ = "catalog_names"
    id: Mapped[int] = mapped_column(primary_key=True)
    role: Mapped[str]
    name: Mapped[str]
    name_key: Mapped[str]
    aliases: Mapped[list[str]]

    __table_args__ = (UniqueConstraint("role", "name_key"),)

"""The catalogue as JSON."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from models.types import Catalog, Competitor
from service.filters import name_key
from service.notes.schemas import trimmed

Name = Annotated[
    str,
    BeforeValidator(trimmed),
    StringConstraints(strict=True, min_length=1, max_length=200),
]

EXAMPLE_CATALOG: dict[str, Any] = {
    "us": ["Clavance", "Clavance Desk"],
    "competitors": [{"name": "Zendesk", "aliases": ["zd", "Zen Desk"]}],
}


class CompetitorNames(BaseModel):
    """A competitor under all its names."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    aliases: list[Name] = Field(default=[], max_length=500)


class CatalogBody(BaseModel):
    """Our own names, and the competitors'."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE_CATALOG]})

    us: list[Name] = Field(max_length=1_000)
    competitors: list[CompetitorNames] = Field(max_length=10_000)

    @model_validator(mode="after")
    def _unambiguous(self) -> CatalogBody:
        owners: dict[str, str] = {name_key(name): "us" for name in self.us}
        for index, competitor in enumerate(self.competitors):
            for name in {name_key(n): n for n in (competitor.name, *competitor.aliases)}.values():
                owner = owners.setdefault(name_key(name), competitor.name)
                if owner != competitor.name:
                    raise ValueError(
                        f"competitors.{index}: {name!r} already stands for {owner!r}; a name has one owner"
                    )
        names = [name_key(c.name) for c in self.competitors]
        twice = next((c.name for c in self.competitors if names.count(name_key(c.name)) > 1), None)
        if twice is not None:
            raise ValueError(f"competitors: {twice!r} stands twice; join its aliases")
        return self

    def to_catalog(self) -> Catalog:
        """Return the catalogue as the reader takes it; an alias that repeats the name is dropped."""
        return Catalog(
            us=tuple(dict.fromkeys(self.us)),
            competitors=tuple(
                Competitor(c.name, tuple(a for a in dict.fromkeys(c.aliases) if name_key(a) != name_key(c.name)))
                for c in self.competitors
            ),
        )


class CatalogReplaced(CatalogBody):
    """The catalogue now in place, and how many notes are analysed again because of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**EXAMPLE_CATALOG, "requeued_notes": 12}]})

    requeued_notes: int = Field(ge=0)


class CandidateOutput(BaseModel):
    """A name that notes use like a competitor's and that the catalogue lacks."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "Orbel", "mentions": 5, "notes": 4, "accounts": 3, "example_note_id": "17"}]
        }
    )

    name: str
    mentions: int
    notes: int
    accounts: int
    example_note_id: str


class Decision(StrEnum):
    """What a candidate is."""

    ACCEPT = "accept"
    ALIAS = "alias"
    DISMISS = "dismiss"


class CandidateDecision(BaseModel):
    """A decision on a candidate: a competitor of its own, another name of one (`of`), or no competitor."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "Orbel", "decision": "alias", "of": "Orbel Systems"}]}
    )

    name: Name
    decision: Decision
    of: Name | None = None

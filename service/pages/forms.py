"""Filters as people set them: a form in the address."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlencode

from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.datastructures import QueryParams

from service.errors import InvalidInput
from service.filters import Filters, resolve_names
from service.insights.measures import About
from service.thresholds import WITHHELD

IN_FORM = ("from", "to", "language", "team", "segment")
OTHERS = ("compare", "author", "account", "kind", "outcome", "source", "competitor", "objection_type", "theme")
_OWN_MESSAGE = {"from", "to", "language"}


@dataclass(frozen=True, slots=True)
class Fault:
    """A filter that can't be: its field, and the key of what to say."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class FilterForm:
    """What the address asks for.

    Attributes:
        values: Filters as written, without empty ones.
        about: Kinds of items; none means all.
        faults: Filters that can't be; `filters` then holds none.
    """

    values: dict[str, str]
    about: tuple[About, ...]
    filters: Filters
    page: int = 1
    faults: list[Fault] = field(default_factory=list)

    def get(self, name: str) -> str:
        """Return a filter as written, empty where it is not set."""
        return self.values.get(name, "")

    @property
    def kinds(self) -> tuple[About, ...]:
        """The kinds to show."""
        return self.about or tuple(About)

    @property
    def is_set(self) -> bool:
        """Whether any filter is set."""
        return bool(self.values or self.about)

    @property
    def carried(self) -> dict[str, str]:
        """Filters that came with a link and have no field of their own."""
        return {name: value for name, value in self.values.items() if name in OTHERS}

    def address(self, path: str, *, without: str = "", kinds: bool = True, **more: object) -> str:
        """Return an address with these filters.

        Args:
            path: The page.
            without: A filter to leave out.
            kinds: Whether to keep the kinds of items.
            more: Other parameters; None leaves one out.
        """
        pairs = [(name, value) for name, value in self.values.items() if name != without]
        if kinds:
            pairs += [("about", str(about)) for about in self.about]
        pairs += [(name, str(value)) for name, value in more.items() if value is not None]
        return f"{path}?{urlencode(pairs)}" if pairs else path


def read_form(session: Session, params: QueryParams) -> FilterForm:
    """Read the filters of an address; empty fields are those that a form sends unset."""
    values = {}
    for name in (*IN_FORM, *OTHERS):
        value = params.get(name, "").strip()
        if value:
            values[name] = value
    faults = []
    about = []
    for kind in dict.fromkeys(params.getlist("about")):
        if kind in set(About):
            about.append(About(kind))
        elif kind:
            faults.append(Fault("about", "wrong_about"))
    filters = Filters()
    try:
        filters = resolve_names(session, Filters.model_validate(values))
    except ValidationError as error:
        faults += [_fault(str(e["loc"][0]), e["type"]) for e in error.errors()]
    if filters.from_ and filters.to and filters.to < filters.from_:
        faults.append(Fault("to", "wrong_order"))
    return FilterForm(values, tuple(about), filters, read_page(params), faults)


def read_page(params: QueryParams) -> int:
    """Return the page of a list, from 1; anything else is the first."""
    text = params.get("page", "")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def fault_of(error: InvalidInput) -> Fault:
    """Return why filters are refused that can be read: one account or author, or a period after the latest note."""
    for one in error.errors:
        if one["code"] == WITHHELD:
            return Fault(one["field"], "wrong_withheld")
    return Fault("from", "wrong_late")


def _fault(name: str, error: str) -> Fault:
    if error in {"greater_than_equal", "less_than_equal"}:
        return Fault(name, "wrong_years")
    return Fault(name, f"wrong_{name}" if name in _OWN_MESSAGE else "wrong_other")

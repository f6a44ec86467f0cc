"""Every sentence of the pages, in English and French; a module for each page.

A string with `|` has a form for one and a form for many; `Words.count` picks. French keeps its signs with their words:
`Words` makes the spaces before `:` `;` `»` and after `«` unbreakable.
"""

from __future__ import annotations

from service.pages.strings import (
    audit,
    competitors,
    corrections,
    digests,
    factor,
    filters,
    frame,
    imports,
    insights,
    notes,
    outgoing,
    people,
    reports,
    saved_filters,
    search,
    signing,
    sources,
    status,
    themes,
    values,
)
from service.reasons.fields import FIELDS

PAGES = (
    frame,
    values,
    filters,
    insights,
    notes,
    corrections,
    themes,
    reports,
    sources,
    outgoing,
    imports,
    competitors,
    status,
    saved_filters,
    search,
    signing,
    people,
    factor,
    audit,
    digests,
)
STRINGS: dict[str, tuple[str, str]] = {key: text for page in PAGES for key, text in page.STRINGS.items()} | {
    f"field_{name}": text for name, text in FIELDS.items()
}

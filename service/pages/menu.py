"""The entries of the main menu; a page adds its line here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """A page in the menu.

    Attributes:
        path: Its address; the pages below it belong to it too.
        label: A key of the catalogue of sentences.
        others: Addresses elsewhere that belong to it.
    """

    path: str
    label: str
    others: tuple[str, ...] = ()

    def holds(self, path: str) -> bool:
        """Tell whether a page belongs to this entry."""
        inside = () if self.path == "/" else (f"{self.path}/",)
        return path == self.path or path.startswith((*inside, *self.others))


ENTRIES = (
    Entry("/", "insights", ("/insights/", "/notes/")),
    Entry("/competitors", "competitors"),
    Entry("/themes", "themes"),
    Entry("/reports", "reports"),
    Entry("/sources", "sources"),
    Entry("/imports", "imports"),
)

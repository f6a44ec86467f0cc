"""What the pages say: saved filters."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "saved_filters": ("Saved filters", "Filtres enregistrés"),
    "saved_shared": ("shared", "partagés"),
    "saved_delete": ("Delete the saved filters {name}", "Supprimer les filtres {name}"),
    "saved_name": ("Name of these filters", "Nom de ces filtres"),
    "saved_share": ("Show them to everyone", "Les montrer à tous"),
    "saved_save": ("Save these filters", "Enregistrer ces filtres"),
}

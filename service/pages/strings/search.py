"""What the pages say: search."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "search": ("Search", "Recherche"),
    "search_go": ("Search", "Rechercher"),
    "search_label": ("Search the notes", "Rechercher dans les notes"),
    "search_title": ("Search the notes", "Rechercher dans les notes"),
    "search_hint": (
        "In English or French, whatever the language of the notes. “…” holds words together, -word leaves notes out, "
        "word* takes every ending.",
        "En français ou en anglais, quelle que soit la langue des notes. « … » garde les mots ensemble, -mot écarte "
        "des notes, mot* admet toute fin de mot.",
    ),
    "wrong_q": ("A search holds 500 characters at most.", "Une recherche compte 500 caractères au plus."),
    "n_notes_at_least": ("at least {n} note|at least {n} notes", "au moins {n} note|au moins {n} notes"),
    "matched_words": ("has the words", "contient les mots"),
    "matched_meaning": ("near in meaning", "proche par le sens"),
    "search_nothing_title": ("No note found", "Aucune note trouvée"),
    "search_nothing": (
        "No note has these words, and none is near in meaning. Try fewer or other words.",
        "Aucune note ne contient ces mots ni ne s'en approche par le sens. Essayez moins de mots, ou d'autres.",
    ),
    "search_nothing_filtered": (
        "No note with these filters has these words or is near in meaning.",
        "Avec ces filtres, aucune note ne contient ces mots ni ne s'en approche par le sens.",
    ),
}

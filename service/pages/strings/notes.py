"""What the pages say: one note."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "note": ("Note", "Note"),
    "date": ("Date", "Date"),
    "deal": ("Deal", "Affaire"),
    "found": ("What was found", "Ce qui a été trouvé"),
    "found_none": (
        "No objection, competitor or theme was found in this note.",
        "Ni objection, ni concurrent, ni thème dans cette note.",
    ),
    "note_pending": (
        "This note waits to be read; its findings come in a moment.",
        "Cette note attend d'être lue ; le résultat arrive dans un instant.",
    ),
    "note_failed": ("This note could not be read: {reason}", "Cette note n'a pas pu être lue : {reason}"),
    "record": ("Record", "Fiche"),
    "open_record": ("open the record", "ouvrir la fiche"),
    "also_from": ("Also from", "Aussi reçue de"),
    "note_duplicate": (
        "Another source brought this note too: it counts there, and once.",
        "Une autre source a aussi apporté cette note : elle y compte, et une seule fois.",
    ),
    "show_in_text": ("Show in the text", "Voir dans le texte"),
}

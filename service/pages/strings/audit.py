"""What the pages say: who saw and changed what."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "audit": ("Who saw and changed what", "Qui a vu et modifié quoi"),
    "audit_log": ("Audit log", "Journal d'audit"),
    "audit_lede": (
        "Every change, every look at what was said, and what was refused. It holds no text, nor what was searched for.",
        "Chaque modification, chaque consultation de ce qui a été dit, et ce qui a été refusé. Aucun texte n'y figure, "
        "ni ce qui a été cherché.",
    ),
    "audit_who": ("Who", "Qui"),
    "audit_what": ("What", "Quoi"),
    "audit_when": ("When", "Quand"),
    "audit_outcome": ("Outcome", "Issue"),
    "audit_changed": ("Changed", "Modifié"),
    "audit_anybody": ("anybody", "tout le monde"),
    "audit_nobody": ("nobody known", "inconnu"),
    "audit_all": ("all", "tout"),
    "audit_changes_only": ("changes", "modifications"),
    "audit_changes_none": ("looks and refusals", "consultations et refus"),
    "audit_count": ("{n} line|{n} lines", "{n} ligne|{n} lignes"),
    "audit_older": ("Older lines", "Lignes plus anciennes"),
}

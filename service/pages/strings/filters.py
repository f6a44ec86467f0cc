"""What the pages say: the filters."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "filters": ("Filters", "Filtres"),
    "from": ("From", "Du"),
    "to": ("To", "Au"),
    "language": ("Language", "Langue"),
    "team": ("Team", "Équipe"),
    "segment": ("Segment", "Segment"),
    "about": ("Show", "Afficher"),
    "any": ("All", "Toutes"),
    "any_segment": ("All", "Tous"),
    "apply": ("Apply", "Appliquer"),
    "clear": ("Clear all", "Tout effacer"),
    "active": ("Active filters", "Filtres actifs"),
    "remove": ("Remove the filter {name}: {value}", "Retirer le filtre {name} : {value}"),
    "author": ("Author", "Auteur"),
    "account": ("Account", "Compte"),
    "kind": ("Kind of note", "Type de note"),
    "outcome": ("Deal", "Affaire"),
    "source": ("Source", "Source"),
    "competitor": ("Names", "Cite"),
    "objection_type": ("Has objection", "Avec l'objection"),
    "theme": ("Has theme", "Avec le thème"),
    "compare": ("Compare", "Comparaison"),
    "wrong_filters": ("Some filters need a second look", "Certains filtres sont à revoir"),
    "wrong_from": (
        "“From” is not a date: write it like 2026-07-01.",
        "« Du » n'est pas une date : écrivez-la comme 2026-07-01.",
    ),
    "wrong_to": (
        "“To” is not a date: write it like 2026-09-30.",
        "« Au » n'est pas une date : écrivez-la comme 2026-09-30.",
    ),
    "wrong_years": ("Dates go from 1900 to 2200.", "Les dates vont de 1900 à 2200."),
    "wrong_order": (
        "The period ends before it starts: swap the two dates.",
        "La période finit avant de commencer : inversez les deux dates.",
    ),
    "wrong_late": (
        "The period starts after the latest note: choose an earlier day.",
        "La période commence après la dernière note : choisissez un jour plus tôt.",
    ),
    "wrong_language": (
        "This language is not one of the list: choose one of it.",
        "Cette langue n'est pas dans la liste : choisissez-en une.",
    ),
    "wrong_about": (
        "This kind is not one of the list: choose objections, competitors or themes.",
        "Ce genre n'est pas dans la liste : choisissez objections, concurrents ou thèmes.",
    ),
    "wrong_withheld": (
        "Here nothing is shown of a single account or author: take this filter away.",
        "Ici, rien n'est montré d'un seul compte ou auteur : retirez ce filtre.",
    ),
    "wrong_other": ("The filter “{name}” has a value that can't be.", "Le filtre « {name} » a une valeur impossible."),
}

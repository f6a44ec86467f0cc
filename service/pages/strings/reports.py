"""What the pages say: the monthly reports."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "reports": ("Reports", "Rapports"),
    "reports_lede": (
        "What each month said, frozen when it closed: the same figures when read again in a year.",
        "Ce que chaque mois a dit, figé à sa clôture : les mêmes chiffres à la relecture dans un an.",
    ),
    "reports_none_title": ("No report yet", "Pas encore de rapport"),
    "reports_none": (
        "A month's report is made in the first days of the month after; “binome report 2026-09” makes one at once.",
        "Le rapport d'un mois se fait dans les premiers jours du mois suivant. « binome report 2026-09 » en fait un "
        "tout de suite.",
    ),
    "report_month": ("Month", "Mois"),
    "report_edition": ("Edition", "Édition"),
    "report_made": ("Made on", "Établi le"),
    "report_files": ("Files", "Fichiers"),
    "report_of": ("Report of {month}", "Rapport : {month}"),
    "report_shown": ("Show accounts' names", "Montrer les noms des comptes"),
    "report_hidden": ("Hide accounts' names", "Masquer les noms des comptes"),
    "report_withdrawn": (
        "Edition {edition} was withdrawn on {date}, because words in it were erased: its files and quotes are gone, "
        "its figures stay.",
        "L'édition {edition} a été retirée le {date}, des mots y ayant été effacés : ses fichiers et citations ont "
        "disparu, ses chiffres restent.",
    ),
    "report_replaced": ("Read edition {edition} instead", "Lire l'édition {edition} à la place"),
    "report_editions": ("Editions", "Éditions"),
}

"""What the pages say: the state of the installation."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "status_page": ("Status", "État"),
    "status_lede": ("Binôme {version}: how far the reading is.", "Binôme {version} : où en est la lecture."),
    "status_well": ("Everything is in order.", "Tout est en ordre."),
    "status_look": ("Something needs a look.", "Quelque chose demande votre attention."),
    "notes_read": ("Notes read", "Notes lues"),
    "notes_waiting": ("Waiting", "En attente"),
    "notes_queued": ("Being read", "En cours de lecture"),
    "notes_failed": ("Failed", "En échec"),
    "workers_ready": ("Workers ready", "Lecteurs prêts"),
    "set_aside_count": ("Set aside from sources", "Mis de côté (sources)"),
    "failed_notes": ("Notes that could not be read", "Notes illisibles"),
    "failed_notes_text": (
        "“binome analyse --failed” tries them again.",
        "« binome analyse --failed » les essaie de nouveau.",
    ),
    "silent_sources": ("Silent sources", "Sources silencieuses"),
    "last_fit": ("Last fit of the themes", "Dernier calcul des thèmes"),
    "no_fit": ("The themes were not fitted yet.", "Les thèmes n'ont pas encore été calculés."),
    "fit_when": ("When", "Quand"),
    "fit_themes": ("Themes", "Thèmes"),
    "fit_passages": ("Passages", "Passages"),
    "fit_unassigned": ("Without a theme", "Sans thème"),
    "long_work": ("Long work", "Travaux longs"),
    "no_long_work": ("None yet.", "Aucun pour l'instant."),
    "job_fit_themes": ("Fit of the themes", "Calcul des thèmes"),
    "job_import_file": ("Import of a file", "Import d'un fichier"),
    "job_sync_source": ("Synchronisation of a source", "Synchronisation d'une source"),
    "job_waiting": ("Waiting", "En attente"),
    "job_queued": ("Waiting", "En attente"),
    "job_running": ("Running", "En cours"),
    "job_done": ("Done", "Terminé"),
    "job_failed": ("Failed", "Échec"),
}

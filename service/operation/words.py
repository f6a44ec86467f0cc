"""What needs a person, and what to do about it, in English and French."""

from __future__ import annotations

ATTENTION: dict[str, tuple[str, str]] = {
    "no_worker": (
        "No worker is running, so nothing is read: start “binome serve” or “binome worker”.",
        "Aucun lecteur ne tourne, rien n'est lu : lancez « binome serve » ou « binome worker ».",
    ),
    "deep_backlog": (
        "{n} notes wait to be read; new ones are refused at BINOME_MAX_BACKLOG: start more workers.",
        "{n} notes attendent d'être lues ; au-delà de BINOME_MAX_BACKLOG les nouvelles sont refusées : lancez d'autres "
        "lecteurs.",
    ),
    "low_disk": (
        "Only {n} MiB of disk are free: make room.",
        "Il ne reste que {n} Mio de disque : faites de la place.",
    ),
    "failed_notes": (
        "{n} notes could not be read: they are listed below; “binome analyse --failed” tries them again.",
        "{n} notes n'ont pas pu être lues : elles figurent plus bas ; « binome analyse --failed » les relit.",
    ),
    "failed_jobs": (
        "{n} long works failed in the last week: their reasons are listed under long work.",
        "{n} travaux longs ont échoué cette semaine : leurs raisons figurent sous les travaux longs.",
    ),
    "set_aside": (
        "{n} deliveries of sources could not be taken: look at them under Sources.",
        "{n} envois de sources n'ont pas pu être pris : voyez-les sous Sources.",
    ),
    "late_sources": (
        "{n} sources are silent for longer than usual: check their connections.",
        "{n} sources se taisent depuis plus longtemps que d'habitude : vérifiez leurs connexions.",
    ),
}

"""What the pages say: files that are sent in."""

from __future__ import annotations

STRINGS: dict[str, tuple[str, str]] = {
    "imports": ("Imports", "Imports"),
    "imports_lede": (
        "Notes from files: spreadsheets, documents, mails, transcripts. First you see how a file is read; nothing is "
        "stored before you agree.",
        "Des notes tirées de fichiers : tableurs, documents, courriels, transcriptions. Vous voyez d'abord comment un "
        "fichier est lu ; rien n'est enregistré sans votre accord.",
    ),
    "send_file": ("Send a file", "Envoyer un fichier"),
    "file": ("File", "Fichier"),
    "file_kinds": (
        "CSV, XLSX, JSON Lines, DOCX, PDF, EML, MBOX, VTT, SRT, TXT, Markdown, or a ZIP of these. Choose it or drop it "
        "on the field.",
        "CSV, XLSX, JSON Lines, DOCX, PDF, EML, MBOX, VTT, SRT, TXT, Markdown, ou un ZIP de ceux-ci. Choisissez-le ou "
        "déposez-le sur le champ.",
    ),
    "show_reading": ("See how it is read", "Voir comment il est lu"),
    "file_refused": ("This file can't be read", "Ce fichier est illisible"),
    "ingest_needed": (
        "Your key may not send files in: ask your administrator for one with the scope “ingest”.",
        "Votre clé ne permet pas d'envoyer de fichiers : demandez-en une qui a le droit « ingest ».",
    ),
    "files_sent": ("Files sent in", "Fichiers envoyés"),
    "no_files": ("No file was sent in yet.", "Aucun fichier envoyé pour l'instant."),
    "import_waiting": ("Waiting", "En attente"),
    "import_running": ("Being read", "En cours de lecture"),
    "import_done": ("Done", "Terminé"),
    "import_failed": ("Failed", "Échec"),
    "taken": ("Taken", "Pris"),
    "refused": ("Refused", "Refusé"),
    "n_refused": ("{n} refused|{n} refused", "{n} refusée|{n} refusées"),
    "result_created": ("New notes", "Nouvelles notes"),
    "result_updated": ("Changed notes", "Notes modifiées"),
    "result_unchanged": ("Known already", "Déjà connues"),
    "result_stale": ("Older than what is stored", "Plus anciennes que l'existant"),
    "result_deleted": ("Erased", "Effacées"),
    "result_rejected": ("Refused", "Refusées"),
    "result_skipped": ("Left out by rule", "Écartées par règle"),
    "result_warned": ("Taken but for a cell", "Prises sauf une cellule"),
    "all_imports": ("All imports", "Tous les imports"),
    "preview_of": ("How “{name}” is read", "Comment « {name} » est lu"),
    "preview_lede": (
        "These are its first rows. Correct the columns where they are misread, then import.",
        "Voici ses premières lignes. Corrigez les colonnes mal comprises, puis importez.",
    ),
    "columns": ("Columns", "Colonnes"),
    "leave_out": ("leave out", "ignorer"),
    "field_of": ("Field of the column {column}", "Champ de la colonne {column}"),
    "dates": ("Dates such as 03/02/2026", "Dates comme 03/02/2026"),
    "dates_found": ("as found: {order}", "comme trouvé : {order}"),
    "day_first": ("day first", "jour d'abord"),
    "month_first": ("month first", "mois d'abord"),
    "read_again": ("Read again so", "Relire ainsi"),
    "import": ("Import", "Importer"),
    "look_at": ("Look at this first", "À regarder d'abord"),
    "first_rows": ("First rows", "Premières lignes"),
    "row": ("Row", "Ligne"),
    "text": ("Text", "Texte"),
    "field": ("Field", "Champ"),
    "message": ("What is wrong", "Ce qui ne va pas"),
    "cells": ("The row as it came", "La ligne telle que reçue"),
    "refused_rows": ("Rows that were refused or taken in part", "Lignes refusées ou prises en partie"),
    "refused_text": (
        "Download them, mend them and send them in again: nothing is doubled.",
        "Téléchargez-les, corrigez-les et renvoyez-les : rien n'est doublé.",
    ),
    "download": ("Download as CSV", "Télécharger en CSV"),
    "first_of": ("The first {n} are shown.", "Les {n} premières sont affichées."),
    "progress": ("Progress", "Avancement"),
    "busy_text": ("This page looks again by itself.", "Cette page se met à jour d'elle-même."),
    "sent_by": ("Sent in by {by}, {when}", "Envoyé par {by}, {when}"),
    "see_insights": ("See the insights", "Voir les enseignements"),
}

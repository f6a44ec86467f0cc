"""The fields of notes and files as pages name them, in English and French, by their code names with `_` for `.`."""

from __future__ import annotations

FIELDS: dict[str, tuple[str, str]] = {
    "line": ("Line", "Ligne"),
    "row": ("Row", "Ligne"),
    "file": ("File", "Fichier"),
    "message": ("Message", "Message"),
    "attachment": ("Attachment", "Pièce jointe"),
    "external_id": ("Id of the note", "Identifiant de la note"),
    "text": ("Text of the note", "Texte de la note"),
    "title": ("Title", "Titre"),
    "occurred_at": ("Date", "Date"),
    "updated_at": ("Last change", "Dernière modification"),
    "kind": ("Kind of note", "Type de note"),
    "language": ("Language", "Langue"),
    "source": ("Source", "Source"),
    "deleted": ("Deleted", "Supprimée"),
    "author_id": ("Author: id", "Auteur : identifiant"),
    "author_name": ("Author: name", "Auteur : nom"),
    "author_team": ("Author: team", "Auteur : équipe"),
    "account_id": ("Account: id", "Compte : identifiant"),
    "account_name": ("Account: name", "Compte : nom"),
    "account_segment": ("Account: segment", "Compte : segment"),
    "deal_id": ("Deal: id", "Affaire : identifiant"),
    "deal_amount": ("Deal: amount", "Affaire : montant"),
    "deal_currency": ("Deal: currency", "Affaire : devise"),
    "deal_stage": ("Deal: stage", "Affaire : étape"),
    "deal_outcome": ("Deal: outcome", "Affaire : issue"),
}

"""Which column of a table means what: by name, in English and French, or as the sender says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Any

from service.errors import InvalidInput

TITLE = "title"
NESTED = {"author": ("id", "name", "team"), "account": ("id", "name", "segment")} | {
    "deal": ("id", "amount", "currency", "stage", "outcome")
}
_PLAIN = ("external_id", "source", "kind", "language", "occurred_at", "updated_at", "text", "deleted")
FIELDS = (*_PLAIN, TITLE, *(f"{outer}.{inner}" for outer, inners in NESTED.items() for inner in inners))
HEADER_ROWS = 20  # a title and empty rows may stand above the header
OWN_PREFIX = "binome_"  # columns that our list of refused rows adds

# Names without accents, case and marks. The first name of a field that a header has wins; "text" takes all of them.
_NAMES: dict[str, str] = {
    "external_id": "external id, id, note id, activity id, record id, identifiant, identifiant externe, id note, "
    "id externe, numero, reference, ref, task id, event id, call id, key, cle, uuid",
    "text": "text, texte, note, notes, comment, comments, commentaire, commentaires, compte rendu, cr, compte rendu de "
    "visite, compte rendu d appel, description, body, note body, content, contenu, remarks, remarques, remarque, "
    "observation, observations, call notes, meeting notes, note text, details, resume, summary, full comments, "
    "message, report, rapport, verbatim, feedback, retour client, call body, internal notes, notes internes",
    "title": "title, titre, subject, objet, sujet",
    "occurred_at": "date, occurred at, date de l appel, date d appel, date appel, date de visite, date de la visite, "
    "date visite, date du rendez vous, date rdv, date de reunion, date du compte rendu, date activite, "
    "date de l activite, call date, meeting date, visit date, "
    "activity date, due date, start, start date, date debut, when, quand, day, jour, created, created at, "
    "created date, create date, creation date, date de creation, cree le, added, add time, timestamp, datetime, "
    "date time, horodatage",
    "updated_at": "updated at, updated, last modified, last modified date, modified, modified at, modifie le, "
    "date de modification, mis a jour le, mise a jour, last update, update time",
    "kind": "kind, type, note type, activity type, type d activite, type de note, nature, canal, channel",
    "language": "language, langue, lang",
    "source": "source, note source",
    "deleted": "deleted, supprime",
    "author.id": "author id, owner id, rep id, user id, id commercial, id auteur, hubspot owner id, assigned to id",
    "author.name": "author, author name, owner, owner name, rep, rep name, sales rep, salesperson, commercial, "
    "commerciale, nom du commercial, auteur, redacteur, vendeur, user, utilisateur, assigned to, assigned, "
    "activity owner, account manager, account executive, created by, cree par, proprietaire, responsable, "
    "charge de clientele",
    "author.team": "team, equipe, author team, sales team, region, agence, secteur commercial",
    "account.id": "account id, company id, client id, customer id, organization id, id client, id compte, id societe, "
    "code client, numero client, crm account id",
    "account.name": "account, account name, company, company name, client, clients, customer, customer name, societe, "
    "nom de la societe, nom du client, nom client, client name, compte, nom du compte, entreprise, organisation, "
    "organization, org, prospect, raison sociale, company / account, associated company, etablissement",
    "account.segment": "segment, account segment, customer segment, segment client, company size, taille, "
    "taille entreprise, industry, secteur, secteur d activite",
    "deal.id": "deal id, opportunity id, id opportunite, id affaire, deal, deal name, opportunity, opportunity name, "
    "opportunite, nom de l opportunite, affaire, nom de l affaire, dossier, associated deal",
    "deal.amount": "amount, montant, deal amount, deal value, opportunity amount, value, valeur, montant ht, "
    "montant total, montant de l affaire, montant de l opportunite, chiffre d affaires, ca, arr, mrr, prix, budget",
    "deal.currency": "currency, devise, deal currency, currency code, monnaie",
    "deal.stage": "stage, etape, deal stage, sales stage, opportunity stage, phase, pipeline stage, etape de vente",
    "deal.outcome": "outcome, deal outcome, status, statut, deal status, issue, resultat, result, etat, won lost, "
    "gagne perdu",
}


def plain_name(name: str) -> str:
    """Return a column's name without accents, case and marks: how names are compared."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", bare.casefold().replace("œ", "oe")).split())


def _by_name() -> dict[str, tuple[str, int]]:
    """Return field and rank of every name."""
    own = {plain_name(field): (field, -1) for field in FIELDS}
    known = {
        plain_name(name): (field, rank)
        for field, names in _NAMES.items()
        for rank, name in enumerate(names.split(","))
        if plain_name(name)
    }
    return known | own


_KNOWN = _by_name()


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table.

    Attributes:
        header: Their names.
        fields: The field of each column; None for one that is left out.
        own: Whether the name is our own (`account.name`), not a synonym: then a wrong value is a fault, not a guess.
    """

    header: tuple[str, ...]
    fields: tuple[str | None, ...]
    own: tuple[bool, ...]

    @property
    def usable(self) -> bool:
        """Whether a note can come of a row: there is a column of text."""
        return "text" in self.fields or TITLE in self.fields

    def of(self, field: str) -> list[int]:
        """Return the places of a field's columns."""
        return [index for index, name in enumerate(self.fields) if name == field]

    @property
    def told(self) -> int:
        """How many fields the header tells; 0 if none of them is the text."""
        return len(set(self.fields) - {None}) if self.usable else 0

    def described(self) -> list[dict[str, Any]]:
        """Return the columns as the preview shows them."""
        return [{"column": name, "field": field} for name, field in zip(self.header, self.fields, strict=True)]


def map_columns(header: Sequence[str], mapping: Mapping[str, str | None]) -> Columns:
    """Map a header's names to fields; each field but `text` takes one column, the most telling one."""
    names = [name.strip().removeprefix("\ufeff").strip() for name in header]
    given = {plain_name(name): field for name, field in mapping.items()}
    fields: list[str | None] = [given.get(plain_name(name)) for name in names]
    own = [field is not None for field in fields]
    taken = {field for field in fields if field and field != "text"}
    text_given = "text" in given.values()
    best: dict[str, tuple[int, int]] = {}
    for index, name in enumerate(names):
        known = _known(name)
        if known is None or plain_name(name) in given or known[0] in taken:
            continue
        field, rank = known
        if field == "text":
            if not text_given:
                fields[index], own[index] = field, rank < 0
        elif field not in best or rank < best[field][0]:
            best[field] = rank, index
    for field, (rank, index) in best.items():
        fields[index], own[index] = field, rank < 0
    return Columns(tuple(names), tuple(fields), tuple(own))


def _known(name: str) -> tuple[str, int] | None:
    plain = plain_name(name)
    if name.lower().startswith(OWN_PREFIX) or plain == "line":
        return None
    if plain in _KNOWN:
        return _KNOWN[plain]
    plain = re.sub(r" \d$", "", plain)  # "Note (2)": a second column of a name, as the list of refused rows has it
    bare = plain.removesuffix(" eur").removesuffix(" usd").removesuffix(" gbp").strip()
    return _KNOWN.get(bare)


def known_names(header: Sequence[str]) -> set[str]:
    """Return the fields that a header's names tell."""
    return {known[0] for name in header if (known := _known(name.strip().removeprefix("\ufeff")))}


def find_header(rows: Iterable[tuple[int, Sequence[str]]], mapping: Mapping[str, str | None]) -> tuple[int, Columns]:
    """Return the row that is the header, and its columns.

    It is the first one that names a column of text; but a later one that tells more than twice as many fields (then
    that was a title), or more together with the row right above it (a header of two rows). If no row names a
    column of text, it is the first that holds anything.
    """
    found = first = 1, Columns((), (), ())
    above: tuple[int, Sequence[str]] = 0, ()
    for number, cells in islice(rows, HEADER_ROWS):
        columns = map_columns(cells, mapping)
        if columns.told > 2 * found[1].told:
            found = number, columns
        if above[0] == number - 1:
            names = _composed(above[1], cells)
            both = map_columns(names, mapping) if names != list(cells) else columns
            if any(cells) and both.told > max(found[1].told, columns.told):
                found = number, both
        if any(cells) and not any(first[1].header):
            first = number, columns
        above = number, cells
    return found if found[1].usable else first


def _composed(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """Return the names of a header of two rows: `Client` over `Name` and `Id` is `Client Name` and `Client Id`.

    A name of the upper row counts for the empty cells right of it; where both together are no known name, the lower
    one counts, and the upper one above an empty cell.
    """
    names = []
    group = ""
    for cell, name in zip_longest(lower, upper, fillvalue=""):
        group = name.strip() or group
        both = (f"{group} {cell}", f"{cell} {group}") if cell.strip() and group else ()
        names.append(next((one for one in both if _known(one)), cell if cell.strip() else name))
    return names


def check_mapping(mapping: Any) -> dict[str, str | None]:
    """Check an explicit mapping, as JSON has it.

    Raises:
        InvalidInput: Naming what is wrong with `mapping`.
    """
    if not isinstance(mapping, dict) or len(mapping) > 500:
        raise _wrong('is a JSON object of column names and fields, such as {"Compte rendu": "text", "Budget": null}')
    checked: dict[str, str | None] = {}
    for name, field in mapping.items():
        if field is not None and field not in FIELDS:
            raise _wrong(f"{str(field)[:60]!r} is not a field; the fields are {', '.join(FIELDS)}, or null")
        checked[name] = field
    single = [field for field in checked.values() if field and field != "text"]
    if doubled := {field for field in single if single.count(field) > 1}:
        raise _wrong(f"{min(doubled)} is given to two columns: only text takes several")
    return checked


def _wrong(message: str) -> InvalidInput:
    return InvalidInput(
        f"mapping: {message}.", errors=[{"field": "mapping", "code": "invalid_mapping", "message": message}]
    )

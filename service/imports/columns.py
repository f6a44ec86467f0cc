"""Which column of a table means what: by name, in English and French, or as the sender says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
MAX_NAMES = 1_000  # a header is not wider
HEADER_ROWS = 20  # a title and empty rows may stand above the header
MIN_TOLD = 2  # fields that the header of a table within a document names, the text among them
LEFT_OUT = "-"
OWN_PREFIX = "binome_"  # columns that our list of refused rows adds

# Names without accents, case and marks. The first name of a field that a header has wins; "text" takes all of them.
_NAMES: dict[str, str] = {
    "external_id": "external id, id, note id, activity id, record id, identifiant, identifiant externe, id note, "
    "id externe, numero, reference, ref, task id, event id, call id, key, cle, uuid, "
    "id de fiche d informations, id d activite, identifiant de l activite, id d enregistrement, "
    "numero d enregistrement",
    "text": "text, texte, note, notes, comment, comments, commentaire, commentaires, compte rendu, cr, compte rendu de "
    "visite, compte rendu d appel, description, body, note body, content, contenu, remarks, remarques, remarque, "
    "observation, observations, call notes, meeting notes, note text, details, resume, summary, full comments, "
    "message, report, rapport, verbatim, feedback, retour client, call body, internal notes, notes internes, "
    "note content, contenu de la note, corps de la note, corps de l appel, notes de l appel, "
    "notes d appel, notes de reunion, meeting body, meeting description, description de la reunion, "
    "corps de la reunion, call description, commentaires complets, texte de la note, email body, "
    "corps de l e mail, internal meeting notes, notes de reunion internes, deal description, "
    "description de la transaction, closed lost reason, closed won reason, raison de la perte, motif de la perte",
    "title": "title, titre, subject, objet, sujet, "
    "note title, titre de la note, call title, titre de l appel, meeting title, meeting name, "
    "titre de la reunion, nom de la reunion, email subject, objet de l e mail, call agenda",
    "occurred_at": "date, occurred at, date de l appel, date d appel, date appel, date de visite, date de la visite, "
    "date visite, date du rendez vous, date rdv, date de reunion, date du compte rendu, date activite, "
    "date de l activite, call date, meeting date, visit date, "
    "activity date, due date, start, start date, date debut, when, quand, day, jour, created, created at, "
    "created date, create date, creation date, date de creation, cree le, added, add time, timestamp, datetime, "
    "date time, horodatage, "
    "call start time, heure de debut de l appel, start time, meeting start time, heure de debut, "
    "date de debut, created on, created time, heure de creation, date d echeance, echeance, "
    "heure d ajout, date d ajout, heure de debut de la reunion, date de la reunion, start date time, start datetime, "
    "call start, date de debut de la reunion, close date, date de cloture",
    "updated_at": "updated at, updated, last modified, last modified date, modified, modified at, modifie le, "
    "date de modification, mis a jour le, mise a jour, last update, update time, "
    "modified time, heure de modification, date de derniere modification, "
    "date de la derniere modification, modified on, last modified time, heure de mise a jour, "
    "derniere modification, derniere mise a jour",
    "kind": "kind, type, note type, activity type, type d activite, type de note, nature, canal, channel",
    "language": "language, langue, lang",
    "source": "source, note source",
    "deleted": "deleted, supprime, is deleted",
    "author.id": "author id, owner id, rep id, user id, id commercial, id auteur, hubspot owner id, assigned to id, "
    "note owner id, call owner id, proprietaire id",
    "author.name": "author, author name, owner, owner name, rep, rep name, sales rep, salesperson, commercial, "
    "commerciale, nom du commercial, auteur, redacteur, vendeur, user, utilisateur, assigned to, assigned, "
    "activity owner, account manager, account executive, created by, cree par, proprietaire, responsable, "
    "charge de clientele, "
    "activity assigned to, activite attribuee a, attribue a, attribue e, attribue, "
    "attribue a l utilisateur, assigned to user, assigned user, assigne a, note owner, "
    "proprietaire de la note, call owner, proprietaire de l appel, event owner, task owner, "
    "proprietaire de l activite, proprietaire de la fiche, opportunity owner, "
    "proprietaire de l opportunite, deal owner",
    "author.team": "team, equipe, author team, sales team, region, agence, secteur commercial",
    "account.id": "account id, company id, client id, customer id, organization id, id client, id compte, id societe, "
    "code client, numero client, crm account id, "
    "associated company id, associated company ids, id de l entreprise associee, "
    "ids de l entreprise associee, ids des entreprises associees",
    "account.name": "account, account name, company, company name, client, clients, customer, customer name, societe, "
    "nom de la societe, nom du client, nom client, client name, compte, nom du compte, entreprise, organisation, "
    "organization, org, prospect, raison sociale, company / account, associated company, etablissement, "
    "associated company primary, associated companies, entreprise associee, entreprises associees, "
    "societe compte, organization name, nom de l organisation, nom de l entreprise, regarding, "
    "concernant, related to, parent id, associe a",
    "account.segment": "segment, account segment, customer segment, segment client, company size, taille, "
    "taille entreprise, industry, secteur, secteur d activite",
    "deal.id": "deal id, opportunity id, id opportunite, id affaire, associated deal id, associated deal ids, "
    "id de la transaction associee, ids de la transaction associee, ids des transactions associees, deal, deal name, "
    "opportunity, opportunity name, "
    "opportunite, nom de l opportunite, affaire, nom de l affaire, dossier, associated deal, "
    "deal title, titre de l affaire, associated deals, transaction, transaction associee, "
    "nom de la transaction",
    "deal.amount": "amount, montant, deal amount, deal value, opportunity amount, value, valeur, montant ht, "
    "montant total, montant de l affaire, montant de l opportunite, chiffre d affaires, ca, arr, mrr, prix, budget, "
    "montant de la transaction, valeur de l affaire, deal amount in company currency",
    "deal.currency": "currency, devise, deal currency, currency code, monnaie, "
    "amount currency, currency of value, deal currency of value, devise du montant",
    "deal.stage": "stage, etape, deal stage, sales stage, opportunity stage, phase, pipeline stage, etape de vente, "
    "etape de la transaction, phase de la transaction, etape de l opportunite, "
    "phase de l opportunite",
    "deal.outcome": "outcome, deal outcome, status, statut, deal status, issue, resultat, result, etat, won lost, "
    "gagne perdu",
}


_MARK = re.compile(rf"\[({'|'.join(map(re.escape, (*FIELDS, LEFT_OUT)))})\]$")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_DO_NOT_MODIFY = re.compile(r"\s*\((?:do not modify|ne pas modifier)\)\s*", re.IGNORECASE)
_ACTIVITIES = frozenset({"activity", "activite", "note"})
_IDS = frozenset({"record id", "id de fiche d informations"})


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
_RUN_TOGETHER = {name.replace(" ", ""): told for name, told in _KNOWN.items()}


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
    given = _marked(names) | {plain_name(name): field for name, field in mapping.items()}
    fields: list[str | None] = [given.get(plain_name(name)) for name in names]
    own = [field is not None for field in fields]
    taken = {field for field in fields if field and field != "text"}
    text_given = "text" in fields  # a mapping may name columns that this table lacks
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


def with_field(name: str, mapping: Mapping[str, str | None]) -> str:
    """Return a column's name with the field that a mapping gives it, so that the name alone tells it again."""
    given = {plain_name(one): field for one, field in mapping.items()}
    return f"{name} [{given[plain_name(name)] or LEFT_OUT}]" if plain_name(name) in given else name


def _marked(names: Sequence[str]) -> dict[str, str | None]:
    """Return the fields of names that tell them in brackets."""
    found = ((name, match[1]) for name in names if (match := _MARK.search(name)))
    return {plain_name(name): field if field in FIELDS else None for name, field in found}


def _known(name: str) -> tuple[str, int] | None:
    plain = plain_name(name)
    if name.lower().startswith(OWN_PREFIX) or plain == "line":
        return None
    if kept := _DO_NOT_MODIFY.match(name):
        return _of_dynamics(plain_name(name[kept.end() :]))
    known = next((_KNOWN[one] for one in _spellings(name, plain) if one in _KNOWN), None)
    return known or _RUN_TOGETHER.get(plain)  # ACTIVITYDATE, as Salesforce's Data Loader has it too


def _of_dynamics(plain: str) -> tuple[str, int] | None:
    """Return what Dynamics' hidden first columns hold: the record's id under the name of its kind, and its change."""
    if "checksum" in plain or "somme de controle" in plain:
        return None
    modified = {"modified on", "date de modification", "modifie le"}
    return ("updated_at", 0) if plain in modified else ("external_id", 1)


def _spellings(name: str, plain: str) -> Iterator[str]:
    """Give the forms under which a name may be known, as vendors write them."""
    yield plain
    if " " not in name:
        yield plain_name(_CAMEL.sub(" ", name))  # ActivityDate, as Salesforce's Data Loader has it
    plain = re.sub(r" \d$", "", plain)  # "Note (2)": a second column of a name, as the list of refused rows has it
    yield plain
    yield plain.removesuffix(" eur").removesuffix(" usd").removesuffix(" gbp").strip()
    yield plain.removesuffix(" primary").removesuffix(" principale")
    first, dash, rest = name.partition(" - ")
    if dash and plain_name(first) in _ACTIVITIES:  # "Activity - Note", as Pipedrive has it
        yield plain_name(rest)
    if dash and plain_name(first) in _IDS:  # "Record ID - Calls", as HubSpot has it
        yield plain_name(first)


def lists_notes(columns: Columns) -> bool:
    """Tell whether a table within a document lists notes: its header names their text, and more."""
    return "text" in columns.fields and columns.told >= MIN_TOLD


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
    for number, whole in islice(rows, HEADER_ROWS):
        cells = whole[:MAX_NAMES]
        columns = map_columns(cells, mapping)
        if any(cell.startswith(OWN_PREFIX) for cell in cells):  # a list of refused rows that comes back
            return number, columns
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

"""What is wrong with a file or a row is told in the language of the page: no message of imports lacks its French."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import service.imports
from service.imports.columns import FIELDS
from service.pages.words import Lang, Words
from service.reasons.sources import SOURCE_REASONS
from service.reasons.telling import in_english, in_french

FOLDER = Path(service.imports.__file__).parent
RAISERS = {"FileRefused", "rejected", "_refused", "_wrong", "MailRefused"}
CONSTANTS = ("_DAMAGED", "_BOMB", "_TOO_LARGE", "_NO_RESULT", "_REASONS")


def words_of(node: ast.AST) -> list[str]:
    """Return the sentences that an expression may be; what varies in them is a 7."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        return ["".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)]
    if isinstance(node, ast.Dict):
        return [text for value in node.values for text in words_of(value)]
    return []


def messages() -> list[str]:
    """Return what the modules of imports say of files and rows: the sentences they refuse with, and their remarks."""
    found = []
    for path in sorted(FOLDER.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in RAISERS:
                found += [text for argument in node.args for text in words_of(argument)]
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "append":
                found += [text for argument in node.args for text in words_of(argument) if text.endswith(".")]
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in CONSTANTS:
                found += words_of(node.value)
    return sorted({text for text in found if " " in text})


def test_messages_are_found() -> None:
    assert len(messages()) > 40


@pytest.mark.parametrize("message", messages())
def test_every_message_of_imports_has_its_french(message: str) -> None:
    assert in_french(message)


@pytest.mark.parametrize(
    ("english", "french"),
    [
        (
            "Row 4: deal.amount is no single amount of 0 or more ('abc'): the note is kept without it.",
            "Ligne 4 : «\u00a0Affaire : montant\u00a0» (deal.amount) n'est pas un seul montant",
        ),
        ("mapping: 'texte' is given to two columns: only text takes several.", "mapping : 'texte' est donné à deux"),
        ("is not a date: write 2026-12-31 or 31/12/2026; day first is how this file is read", "n'est pas une date : é"),
        ("the line is not valid JSON at line 1, column 1.", "la ligne n'est pas du JSON valide, ligne 1, colonne 1."),
        (
            "This is a sound or picture file, which is not taken: save it as its transcript as VTT, SRT or TXT.",
            "C'est un",
        ),
        ("Input should be 'won', 'lost' or 'open'", "doit valoir 'won', 'lost' ou 'open'"),
        ("Input should be a valid datetime or date, input is too short", "n'est pas une date et une heure lisibles"),
    ],
)
def test_what_varies_stays(english: str, french: str) -> None:
    assert (in_french(english) or "").startswith(french)


@pytest.mark.parametrize("english", [english.format("1", "2") for english, _ in SOURCE_REASONS])
def test_what_is_wrong_with_a_delivery_is_said_in_french(english: str) -> None:
    french = in_french(english) or ""
    assert french not in {"", english}
    assert english.count("1") <= french.count("1")


def test_fields_that_a_delivery_lacks_are_named() -> None:
    assert in_french("ids is no list of 1 to 500 items.") == "ids : n'est pas une liste de 1 à 500 éléments."
    assert in_french("body has no values.") == "body : n'a aucune valeur."
    assert in_french("meta is missing.") == "meta : manque."
    given = in_french("body-mime is missing: give the route a URL that ends in /mime.")
    assert (given or "").startswith("body-mime : manque, donnez à la route")


@pytest.mark.parametrize("field", [field for field in FIELDS if field != "text"])
def test_fields_have_the_names_that_pages_give_them(field: str) -> None:
    english, french = in_english(f"Row 4: {field} is missing."), in_french(f"Row 4: {field} is missing.") or ""
    assert re.fullmatch(rf"Row 4: “[A-Z][a-z: ]+” \({field}\) is missing\.", english)
    assert re.fullmatch(rf"Ligne 4 : «\u00a0[A-ZÉ][a-zéè: ]+\u00a0» \({field}\) manque\.", french)
    assert in_english("The file is empty.") == "The file is empty."
    outside = in_french("occurred_at is outside the years 1970 to 2100") or ""
    assert outside == "«\u00a0Date\u00a0» (occurred_at) est hors des années 1970 à 2100"


def test_an_unknown_message_stays_english_and_says_so() -> None:
    assert in_french("Something <b>else</b>") is None
    assert Words(Lang.FR).reason("Something <b>else</b>") == '<span lang="en">Something &lt;b&gt;else&lt;/b&gt;</span>'
    assert Words(Lang.EN).reason("a <b>") == "a &lt;b&gt;"
    assert Words(Lang.FR).reason("The file is empty.") == "Le fichier est vide."


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("url must start with https://.", "«\u00a0Adresse\u00a0» (url) : doit commencer par https://."),
        ("url must start with https:// or http://.", "«\u00a0Adresse\u00a0» (url) : doit commencer par https:// ou"),
        (
            "url must start with https://: BINOME_OUTGOING_PRIVATE=on allows http:// inside a network.",
            "«\u00a0Adresse\u00a0» (url) : doit commencer par https:// : BINOME_OUTGOING_PRIVATE=on autorise http://",
        ),
        (
            "address must be one mail address, such as marketing@firm.com.",
            "«\u00a0Adresse\u00a0» (address) : doit être une seule adresse e-mail",
        ),
        ("time_zone: is no time zone, such as Europe/Paris", "«\u00a0Fuseau horaire\u00a0» (time_zone) : n'est pas"),
        (
            "url is a name inside a network: BINOME_OUTGOING_PRIVATE=on allows it.",
            "«\u00a0Adresse\u00a0» (url) : est un nom interne",
        ),
        ("The endpoint 3 is switched off: switch it on first.", "L'adresse 3 est désactivée"),
    ],
)
def test_what_is_wrong_with_an_address_is_said_in_french(english: str, french: str) -> None:
    assert (in_french(english) or "").startswith(french)

"""Languages of passages and notes: short, without accents, in text-message spelling, or neither English nor French."""

from __future__ import annotations

import pytest

from models.analyzer import ARTEFACTS
from models.language import LanguageReader, load_language_reader
from models.lexicon import Lexicon
from models.types import Language


@pytest.fixture(scope="module")
def reader(lexicon: Lexicon) -> LanguageReader:
    return load_language_reader(ARTEFACTS / "language", lexicon)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("they want a rebate before they sign", "en"),
        ("no budget til june, call back after", "en"),
        ("TOO SLOW ON BIG FILES", "en"),
        ("ils veulent une remise avant de signer", "fr"),
        ("pas de budget avt la rentree, a rappeler", "fr"),
        ("tjrs pas de retr, rdv lundi ac le patron", "fr"),
        ("TROP LENT SUR LES GROS FICHIERS", "fr"),
        ("c pas la priorite pr eux", "fr"),
        ("Wir haben noch kein Budget für dieses Jahr und warten auf die Freigabe", "unknown"),
        ("El precio es demasiado alto para nosotros y no tenemos presupuesto", "unknown"),
        ("Wij hebben het contract nog niet getekend omdat de prijs te hoog is", "unknown"),
        ("El cliente dice que es demasiado caro y que no hay presupuesto este año.", "unknown"),
        ("la integracion con SAP no funciona y el soporte tarda mucho", "unknown"),
        ("Il cliente dice che è troppo caro e che non c'è budget quest'anno.", "unknown"),
        ("O cliente diz que é muito caro e que não há orçamento este ano.", "unknown"),
        ("De klant zegt dat het te duur is en dat er dit jaar geen budget is.", "unknown"),
        ("ANRUF MIT DEM KUNDEN, PREIS IST ZU HOCH", "unknown"),
        ("Met Bron and Hamza.", "en"),
        ("Arthur Pell, Josh Pell, me", "en"),
        ("no capex till new FY", "en"),
        ("rdv chez Van der Aa, pas de budget", "fr"),
        ("aaaa", "unknown"),
        ("a" * 1_000, "unknown"),
        ("lkjhgfdsq" * 30, "unknown"),
        ("السعر مرتفع جدا بالنسبة لنا", "unknown"),
        ("価格が高すぎます", "unknown"),
        ("😀😀😀", "unknown"),
        ("", "unknown"),
        ("12.50 / 14 %", "unknown"),
    ],
)
def test_reads_the_language(text: str, expected: str, reader: LanguageReader) -> None:
    assert reader.read([text]) == [Language(expected)]


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        (["They like the product.", "The price is not an issue for them."], "en"),
        (["Ils aiment le produit.", "Le prix ne pose pas de souci."], "fr"),
        (
            [
                "Quick call avec le client.",
                "They want to wait until the end of the year.",
                "Il faut que le siège valide avant nous.",
            ],
            "mixed",
        ),
        (["Der Kunde möchte noch warten, weil das Budget nicht freigegeben ist."], "unknown"),
        ([], "unknown"),
    ],
)
def test_reads_the_language_of_a_note(segments: list[str], expected: str, reader: LanguageReader) -> None:
    assert reader.read_notes([segments]) == [Language(expected)]

"""Names put into notes while the tagger learns: rivals' under which it meets them, accounts' that are none.

Both are drawn alike, so that only what is said around a name tells which it is.
"""

from __future__ import annotations

import gzip
import lzma
import random
import re
from pathlib import Path

from models.lexicon import Lexicon


def read_names(corpora: Path) -> list[str]:
    """Read company and product names of the public name lists."""
    names: set[str] = set()
    for path in sorted((corpora / "gaz_names").iterdir()):
        opener = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix)
        if opener is None:
            continue
        with opener(path, "rt", encoding="utf-8") as file:
            for line in file:
                name = re.split(r"[\t,]", line, maxsplit=1)[0].strip().strip('"')
                if 2 < len(name) < 24 and name[0].isalpha() and len(name.split()) <= 2:
                    names.add(re.sub(r"\s+(?:Inc|Ltd|Corp|SA|AG|PLC|Holdings?|Group)\.?$", "", name))
    return sorted(names)


_STARTS = ["b", "br", "c", "d", "f", "fl", "gr", "h", "k", "l", "m", "n", "p", "qu", "r", "s", "st", "t", "v", "x", "z"]
_VOWELS = ["a", "e", "i", "o", "u", "ai", "eo", "y"]
_CLOSES = ["", "", "", "l", "n", "r", "x", "s", "m"]
_ENDINGS = ["", "", "", "ly", "ia", "eo", "io", "soft", "tech", "line", "flow", "base", "is", "ex", " Systems", " Pro"]
_KINDS = {
    "en": [
        "Group",
        "Foods",
        "Clinic",
        "Logistics",
        "Farms",
        "Hotels",
        "Schools",
        "Council",
        "Partners",
        "Works",
        "Trust",
        "House",
        "Bakery",
        "hq",
    ],
    "fr": [
        "SARL",
        "Industries",
        "Services",
        "Traiteur",
        "Santé",
        "Distribution",
        "Conseil",
        "Frères",
        "Habitat",
        "Agri",
    ],
}
_FRENCH_KINDS_BEFORE = [
    "Groupe",
    "Ets",
    "Cabinet",
    "Transports",
    "Clinique",
    "Maison",
    "Ateliers",
    "Lycée",
    "Hôtel",
    "Garage",
    "Mairie",
]
_HEADINGS = {
    "en": [
        "{account} - ",
        "{account}: ",
        "{account}. ",
        "{account}, {place}. ",
        "{account} ({place}): ",
        "{account}\n",
        "{account} / {person} - ",
        "{person} at {account}. ",
        "Call with {person}, {account}. ",
        "{account}, {person}: ",
        "Visited {account} in {place}. ",
        "{account} called. ",
        "Re {account}\n",
    ],
    "fr": [
        "{account} - ",
        "{account} : ",
        "{account}. ",
        "{account}, {place}. ",
        "{account} ({place}) : ",
        "{account}\n",
        "{account} / {person} - ",
        "{person}, {account}. ",
        "RDV {account}, {person}. ",
        "Visite chez {account} à {place}. ",
        "Appel {person} ({account}). ",
        "{account} a rappelé. ",
        "CR {account}\n",
    ],
}


class NameMaker:
    """Draws names.

    Args:
        companies: Names of companies and products.
        lexicon: Ordinary words, first names and places.
    """

    def __init__(self, companies: list[str], lexicon: Lexicon) -> None:
        self._companies = companies
        self._words = sorted(w for w, rank in lexicon.words.items() if 500 < rank < 20_000 and 4 <= len(w) <= 9)
        self._words = [w for w in self._words if w.isalpha()]
        self._persons = sorted(n for n in lexicon.first_names if n.isalpha())
        self._places = sorted(p for p in lexicon.places if len(p) > 3)

    def rival(self, rng: random.Random) -> str:
        """Return a name as a rival or product may have it: a company's, an invented one, an ordinary word."""
        draw = rng.random()
        if draw < 0.45:
            return rng.choice(self._companies)
        return invented_name(rng) if draw < 0.75 else rng.choice(self._words).capitalize()

    def account(self, rng: random.Random, language: str) -> str:
        """Return a customer's name."""
        draw = rng.random()
        stem = self.rival(rng) if draw < 0.6 else rng.choice(self._places if draw < 0.8 else self._persons).title()
        draw = rng.random()
        if language == "fr" and draw < 0.35:
            stem = f"{rng.choice(_FRENCH_KINDS_BEFORE)} {stem}"
        elif draw < 0.5:
            stem = f"{stem} {rng.choice(_KINDS.get(language, _KINDS['en']))}"
        draw = rng.random()
        return stem.lower() if draw < 0.15 else stem.upper() if draw < 0.35 else stem

    def heading(self, rng: random.Random, language: str) -> str:
        """Return how a note or a report's part may open: with its account, and perhaps a person and a place."""
        pattern = rng.choice(_HEADINGS.get(language, _HEADINGS["en"]))
        return pattern.format(
            account=self.account(rng, language),
            person=rng.choice(self._persons).title(),
            place=rng.choice(self._places).title(),
        )


def invented_name(rng: random.Random) -> str:
    """Make up a product-like name."""
    parts = (_STARTS, _VOWELS, _CLOSES)
    stem = "".join(rng.choice(part) for _ in range(rng.choice((2, 2, 3))) for part in parts)
    return (stem + rng.choice(_ENDINGS)).capitalize() if rng.random() < 0.9 else stem[:4].upper()

"""Running text in English and French from the public corpora, for word counts and for telling the languages apart."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from pathlib import Path

PAIRS = {
    "par_en_fr_tatoeba": 170_000,
    "par_en_fr_adobe": 100_000,
    "par_en_fr_laws_canada": 60_000,
    "par_en_fr_msdocs": 5_000,
}
_TREEBANKS = {
    "en": ("ud_en_ewt",),
    "fr": ("ud_fr_sequoia", "ud_fr_gsd_dev", "ud_fr_rhapsodie", "ud_fr_parisstories", "ud_fr_fqb"),
}
LICENCES = {
    "par_en_fr_tatoeba": "CC BY 2.0 FR",
    "par_en_fr_adobe": "MIT",
    "par_en_fr_laws_canada": "Open Government Licence - Canada",
    "par_en_fr_msdocs": "CC BY 4.0",
    "ud_*": "CC BY-SA 4.0 (word forms only)",
}


def sentences(corpora: Path, language: str) -> Iterator[str]:
    """Yield sentences of `language` ("en" or "fr") from the parallel corpora and the treebanks."""
    column = ("en", "fr").index(language)
    for name, limit in PAIRS.items():
        with lzma.open(corpora / name / "pairs.tsv.xz", "rt", encoding="utf-8") as file:
            for number, line in enumerate(file):
                if number >= limit:
                    break
                yield line.rstrip("\n").split("\t")[column]
    for treebank in _TREEBANKS[language]:
        for path in sorted((corpora / treebank).glob("*.conllu.xz")):
            with lzma.open(path, "rt", encoding="utf-8") as file:
                yield from (line[9:].strip() for line in file if line.startswith("# text = "))

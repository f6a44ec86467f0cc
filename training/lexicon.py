"""Builds the word lists of `models/artefacts/lexicon` from public corpora.

`words.en.txt` and `words.fr.txt` hold folded word forms (no case, no accents) that running text writes in lower case,
most frequent first: what is in them is an ordinary word, what is not may be a name. `first_names.txt` and `places.txt`
come from the person and location marks of open name corpora.

Candidates are the forms of spaCy's lookup tables (WordNet 3.0 for English, a Lefff-based list for French) in the
frequency order of wordfreq (CC BY-SA 4.0), and what the corpora write in lower case; words that the corpora mostly
capitalise are left out. Needs the packages `wordfreq` and `spacy-lookups-data` beside the project's own (extra
`train`).

Names come from WiNER-fr, MultiCoNER II, Wikigold and the Broad Twitter Corpus (CC BY 4.0).
"""

from __future__ import annotations

import argparse
import gzip
import json
import lzma
import re
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from wordfreq import iter_wordlist, zipf_frequency

from models.lexicon import fold
from models.manifest import write_manifest
from training.public_text import LICENCES as TEXT_LICENCES
from training.public_text import PAIRS, sentences

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
LICENCES = {
    **TEXT_LICENCES,
    "ner_fr_winer, ner_en_multiconer2, ner_fr_multiconer2_dev, ner_en_btc": "CC BY 4.0",
    "ner_en_wikigold": "CC BY 4.0",
    "wordfreq": "CC BY-SA 4.0 (order of the words)",
    "spacy-lookups-data": "MIT; WordNet licence; LGPL-LR",
}
MIN_ZIPF = 2.2
"""Occurrences per billion words, as a power of ten, below which a dictionary form is no ordinary word."""


def case_counts(texts: Iterator[str]) -> tuple[Counter[str], Counter[str]]:
    """Count folded words in lower case, and with a capital that no sentence start explains."""
    lower: Counter[str] = Counter()
    capital: Counter[str] = Counter()
    for text in set(texts):
        for number, match in enumerate(_WORD.finditer(text)):
            for part in {match[0], *match[0].split("-")}:
                if part.islower():
                    lower[fold(part)] += 1
                elif number:
                    capital[fold(part)] += 1
    return lower, capital


def dictionary_forms(language: str) -> set[str]:
    """Return the lower-case forms of spaCy's lookup tables, folded."""
    tables = load_language_data(language)
    forms = set(tables["lemma_lookup"]) | {w for words in tables["lemma_index"].values() for w in words}
    return {fold(w) for w in forms if w.islower() and w.isalpha()}


def load_language_data(language: str) -> dict[str, Any]:
    """Read spaCy's lemma tables of a language."""
    folder = files("spacy_lookups_data") / "data"
    return {
        table: json.loads(gzip.decompress((folder / f"{language}_{table}.json.gz").read_bytes()))
        for table in ("lemma_lookup", "lemma_index")
    }


def common_words(corpora: Path, language: str, persons: Counter[str]) -> list[str]:
    """Return ordinary folded words of a language, most frequent first."""
    lower, capital = case_counts(sentences(corpora, language))
    forms = dictionary_forms(language)
    ranked = dict.fromkeys(fold(w) for w in iter_wordlist(language, "large") if zipf_frequency(w, language) >= MIN_ZIPF)
    listed = [w for w in ranked if lower[w] >= 3 or (w in forms and persons[w] < 2)]
    listed += [w for w, n in lower.most_common() if n >= 5 and w not in ranked]
    return [w for w in listed if len(w) > 1 and lower[w] + 1 > capital[w] / 2]


def marked_names(corpora: Path) -> tuple[Counter[str], Counter[str]]:
    """Count folded first words of persons and folded names of places in the name corpora."""
    persons: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for kind, name in _conll_names(corpora):
        if kind in {"PER", "Artist", "OtherPER", "Politician", "Athlete", "Scientist", "SportsManager"} and " " in name:
            persons[fold(name.split()[0])] += 1
        elif kind in {"LOC", "HumanSettlement", "OtherLOC"}:
            places[fold(name)] += 1
    with lzma.open(corpora / "ner_fr_winer" / "train.jsonl.xz", "rt", encoding="utf-8") as file:
        for line in file:
            document = json.loads(line)
            for span in document["spans"]:
                start, end, label = _winer_span(span)
                name = document["text"][start:end]
                if label == "Person" and " " in name:
                    persons[fold(name.split()[0])] += 1
                elif label == "Location":
                    places[fold(name)] += 1
    return persons, places


def _winer_span(span: dict[str, object] | list[object]) -> tuple[int, int, str]:
    values = list(span.values()) if isinstance(span, dict) else span
    return int(str(values[0])), int(str(values[1])), str(values[2])


def _conll_names(corpora: Path) -> Iterator[tuple[str, str]]:
    files = [
        corpora / "ner_en_multiconer2" / "en-train.conll.xz",
        corpora / "ner_fr_multiconer2_dev" / "fr_dev.conll.gz",
        corpora / "ner_en_btc" / "btc.train.gz",
        corpora / "ner_en_wikigold" / "wikigold-train.conll.gz",
    ]
    for path in files:
        opener = lzma.open if path.suffix == ".xz" else gzip.open
        kind, words = "", list[str]()
        with opener(path, "rt", encoding="utf-8") as file:
            for line in file:
                columns = line.split()
                tag = columns[-1] if columns and not line.startswith("# id") else "O"
                if not tag.startswith("I-") or tag[2:] != kind:
                    if words:
                        yield kind, " ".join(words)
                    kind, words = "", []
                if tag[:2] in {"B-", "I-"}:
                    kind = tag[2:]
                    words.append(columns[0])


def build(corpora: Path, out: Path) -> dict[str, int]:
    """Write the four lists and return their lengths."""
    out.mkdir(parents=True, exist_ok=True)
    persons, places = marked_names(corpora)
    lists = {f"words.{lang}.txt": common_words(corpora, lang, persons) for lang in ("en", "fr")}
    ordinary = set(lists["words.en.txt"]) | set(lists["words.fr.txt"])
    lists["first_names.txt"] = [
        w for w, n in persons.most_common() if n >= 2 and len(w) > 2 and w.isalpha() and w not in ordinary
    ]
    lists["places.txt"] = [w for w, n in places.most_common() if n >= 2 and len(w) > 2 and w not in ordinary]
    for name, words in lists.items():
        (out / name).write_text("\n".join(words) + "\n", encoding="utf-8")
    counts = {name: len(words) for name, words in lists.items()}
    config = {"min_zipf": MIN_ZIPF, "pairs": PAIRS}
    write_manifest(out, "lexicon", list(lists), config=config, data=counts, metrics={}, licences=LICENCES)
    return counts


def main() -> None:
    """`python -m training.lexicon [--corpora FOLDER] [--out FOLDER]`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpora", type=Path, required=True, help="folder of the public corpora")
    parser.add_argument("--out", type=Path, default=Path("models/artefacts/lexicon"))
    args = parser.parse_args()
    print(build(args.corpora, args.out))


if __name__ == "__main__":
    main()

"""Counts the classes of words in treebanks, for `models/word_classes.py`, and measures it on their other parts.

python -m training.word_classes --corpora FOLDER [--out models/artefacts/classes]
"""

from __future__ import annotations

import argparse
import json
import lzma
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from models.manifest import write_manifest
from models.types import Language
from models.word_classes import CLASSES, LONGEST_SUFFIX, load_word_classes

TREEBANKS = {
    "en": ["ud_en_ewt/en_ewt-ud-train"],
    "fr": [
        "ud_fr_sequoia/fr_sequoia-ud-train",
        "ud_fr_gsd_dev/fr_gsd-ud-dev",
        "ud_fr_rhapsodie/fr_rhapsodie-ud-train",
        "ud_fr_parisstories/fr_parisstories-ud-train",
        "ud_fr_fqb/fr_fqb-ud-test",
    ],
}
MEASURED = {
    "en": ["ud_en_ewt/en_ewt-ud-dev"],
    "fr": ["ud_fr_sequoia/fr_sequoia-ud-dev", "ud_fr_rhapsodie/fr_rhapsodie-ud-dev"],
}
LETTERS = {
    "NOUN": "N",
    "PROPN": "P",
    "ADJ": "A",
    "VERB": "V",
    "AUX": "V",
    "ADP": "R",
    "DET": "D",
    "NUM": "M",
    "PRON": "O",
    "ADV": "B",
    "CCONJ": "C",
    "SCONJ": "C",
    "PART": "T",
    "PUNCT": ".",
}
RARE = 10
"""Times up to which a word teaches what its ending says: frequent words end as no others do."""
MIN_ENDINGS = 3
LICENCES = {
    "ud_en_ewt, ud_fr_gsd_dev, ud_fr_rhapsodie, ud_fr_parisstories": "CC BY-SA 4.0",
    "ud_fr_sequoia, ud_fr_fqb": "LGPL-LR",
}

Sentence = list[tuple[str, str]]


def read_sentences(paths: Sequence[Path]) -> Iterator[Sentence]:
    """Yield the words of each sentence with the letters of their classes; "au" and "didn't" are one word each."""
    for path in paths:
        sentence: Sentence = []
        inside = 0
        with lzma.open(path, "rt", encoding="utf-8") as file:
            for line in file:
                columns = line.rstrip("\n").split("\t")
                if len(columns) < 4:
                    if sentence and not line.strip():
                        yield sentence
                        sentence, inside = [], 0
                elif "-" in columns[0]:
                    sentence.append((columns[1], ""))
                    inside = int(columns[0].split("-")[1])
                elif columns[0].isdigit():
                    letter = LETTERS.get(columns[3], "X")
                    if int(columns[0]) > inside:
                        sentence.append((columns[1], letter))
                    elif not sentence[-1][1]:
                        sentence[-1] = (sentence[-1][0], letter)


def count(sentences: Sequence[Sentence]) -> dict[str, object]:
    """Return what `models.word_classes` reads of a language."""
    words: dict[str, Counter[str]] = defaultdict(Counter)
    follow = [[1] * len(CLASSES) for _ in range(len(CLASSES) + 1)]
    for sentence in sentences:
        before = len(CLASSES)
        for word, letter in sentence:
            place = CLASSES.index(letter)
            follow[before][place] += 1
            before = place
            if any(map(str.isalnum, word)):
                words[word.lower()][letter] += 1
    endings: dict[str, Counter[str]] = defaultdict(Counter)
    for word, letters in words.items():
        if letters.total() <= RARE:
            for n in range(min(LONGEST_SUFFIX, len(word)) + 1):
                endings[word[len(word) - n :]].update(letters)
    kept = {ending: letters for ending, letters in endings.items() if letters.total() >= MIN_ENDINGS}
    return {"words": _written(words), "suffixes": _written(kept), "follow": follow}


def _written(counts: dict[str, Counter[str]]) -> dict[str, str]:
    return {key: "".join(f"{x}{n}" for x, n in sorted(letters.items())) for key, letters in sorted(counts.items())}


def accuracy(language: str, corpora: Path, artefact: Path) -> float:
    """Return the share of words of the other parts whose class is found."""
    sentences = list(read_sentences(_paths(corpora, MEASURED[language])))
    tagger = load_word_classes(artefact)[Language(language)]
    found = tagger.classify([[word for word, _ in sentence] for sentence in sentences])
    pairs = [
        (letter, guess)
        for sentence, row in zip(sentences, found, strict=True)
        for (_, letter), guess in zip(sentence, row, strict=True)
    ]
    return sum(letter == guess for letter, guess in pairs) / len(pairs)


def _paths(corpora: Path, names: Sequence[str]) -> list[Path]:
    return [corpora / f"{name}.conllu.xz" for name in names]


def build(corpora: Path, out: Path) -> dict[str, float]:
    """Write the artefact `classes`, and return how well it does."""
    out.mkdir(parents=True, exist_ok=True)
    files = []
    for language, names in TREEBANKS.items():
        counted = count(list(read_sentences(_paths(corpora, names))))
        files.append(f"{language}.json")
        (out / files[-1]).write_text(json.dumps(counted, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")
    data = {"treebanks": TREEBANKS, "measured": MEASURED}
    write_manifest(out, "classes", files, config={"rare": RARE}, data=data, metrics={}, licences=LICENCES)
    metrics = {language: round(accuracy(language, corpora, out), 4) for language in TREEBANKS}
    write_manifest(out, "classes", files, config={"rare": RARE}, data=data, metrics=metrics, licences=LICENCES)
    return metrics


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpora", type=Path, required=True, help="folder of the public corpora")
    parser.add_argument("--out", type=Path, default=Path("models/artefacts/classes"))
    args = parser.parse_args()
    print(build(args.corpora, args.out))


if __name__ == "__main__":
    main()

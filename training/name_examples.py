"""Texts whose words are marked with what they name, from the public name corpora."""

from __future__ import annotations

import gzip
import json
import lzma
import random
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.name_kinds import KINDS

UNLABELLED = -100
LICENCES = {
    "ner_en_btc, ner_en_multiconer1, ner_en_multiconer2, ner_en_wikigold, ner_en_wnut17": "CC BY 4.0",
    "ner_fr_multiconer2_dev": "CC BY 4.0",
    "ner_en_fashion_brands": "MIT",
    "ner_fr_winer": "CC BY 4.0, text CC BY 2.5",
}
_NO_SPACE_BEFORE = frozenset(".,;:!?)]}%…'’") | {"n't", "'s", "’s", "'re", "'ll", "'ve", "'m", "'d"}
_NO_SPACE_AFTER = frozenset("([{#@") | {"l'", "d'", "L'", "D'", "qu'", "n'", "s'", "c'", "j'"}
_KIND_OF = {
    **dict.fromkeys(("per", "person", "artist", "athlete", "politician", "otherper", "cleric"), "person"),
    **dict.fromkeys(("scientist", "sportsmanager"), "person"),
    **dict.fromkeys(("org", "organization", "corp", "grp", "corporation", "group", "publiccorp"), "organisation"),
    **dict.fromkeys(("privatecorp", "sportsgrp", "musicalgrp", "carmanufacturer"), "organisation"),
    **dict.fromkeys(("aerospacemanufacturer",), "organisation"),
    **dict.fromkeys(("loc", "location", "humansettlement", "facility", "station", "otherloc"), "place"),
    **dict.fromkeys(("prod", "product", "software", "otherprod", "vehicle"), "product"),
    **dict.fromkeys(("misc", "cw", "creative-work", "visualwork", "writtenwork", "musicalwork", "artwork"), None),
}
"""Kinds by the corpora's labels. Works (None) are left unlabelled: some corpora call them names, others don't."""


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text and its words: start, end, kind.

    The kind is 0 for no name, else 1 + 2 * index in `KINDS`, plus 1 where a name goes on; or `UNLABELLED`.
    """

    text: str
    language: str
    words: tuple[tuple[int, int, int], ...]

    def written(self, rewrite: Callable[[str], str]) -> MarkedText:
        """Return the text with each character rewritten to one character."""
        changed = "".join(new if len(new := rewrite(c)) == 1 else c for c in self.text)
        return MarkedText(changed, self.language, self.words)


def bare(character: str) -> str:
    """Return a character without its accents."""
    return unicodedata.normalize("NFD", character)[0]


def joined(texts: Sequence[MarkedText], separators: Sequence[str]) -> MarkedText:
    """Put texts of one language together; `separators[i]` stands before text i + 1."""
    text, words = "", list[tuple[int, int, int]]()
    for i, one in enumerate(texts):
        text += separators[i - 1] if i else ""
        words += [(a + len(text), b + len(text), k) for a, b, k in one.words]
        text += one.text
    return MarkedText(text, texts[0].language, tuple(words))


def labels_of(example: MarkedText, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the kind of each piece, (n_pieces,).

    Args:
        example: The text.
        offsets: First and last character of each piece, (n_pieces, 2).
    """
    labels = np.full(len(offsets), UNLABELLED)
    for start, end, kind in example.words:
        inside = np.flatnonzero((offsets[:, 0] < end) & (offsets[:, 1] > start))
        labels[inside] = kind
        if kind > 0 and kind % 2:  # only the first piece of a name begins it
            labels[inside[1:]] = kind + 1
    return labels


def _lines(path: Path) -> Iterator[str]:
    opener: Any = {".gz": gzip.open, ".xz": lzma.open}[path.suffix]
    with opener(path, "rt", encoding="utf-8") as file:
        yield from (line.rstrip("\n") for line in file)


def _blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in lines:
        if line.strip():
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def read_names(path: Path, language: str, *, word: int = 0, tag: int = -1) -> Iterator[MarkedText]:
    """Yield the sentences of a column file with IO or BIO tags.

    Args:
        path: The file.
        language: Of its texts.
        word: Column of the word.
        tag: Column of the tag.
    """
    for block in _blocks(_lines(path)):
        rows = [line.split() for line in block if not line.startswith(("# ", "-DOCSTART-"))]
        rows = [row for row in rows if len(row) > 1]
        if rows:
            yield _spaced([row[word] for row in rows], [row[tag] for row in rows], language)


def _spaced(words: Sequence[str], tags: Sequence[str], language: str) -> MarkedText:
    text, marked, before = "", list[tuple[int, int, int]](), "O"
    for i, (word, tag) in enumerate(zip(words, tags, strict=True)):
        if i and word not in _NO_SPACE_BEFORE and words[i - 1] not in _NO_SPACE_AFTER:
            text += " "
        marked.append((len(text), len(text) + len(word), _kind(tag, before)))
        text, before = text + word, tag
    return MarkedText(text, language, tuple(marked))


def _kind(tag: str, before: str) -> int:
    if "-" not in tag:
        return 0
    label = tag.split("-", 1)[1].lower()
    kind = _KIND_OF.get(label, "none")
    if kind is None:
        return UNLABELLED
    if kind == "none":
        return 0
    goes_on = tag.startswith("I-") and before.lower().endswith(label)
    return 1 + 2 * KINDS.index(kind) + int(goes_on)


def read_spans(path: Path, language: str, *, other: str = "") -> Iterator[MarkedText]:
    """Yield the texts of a JSON Lines file with character spans; of nested spans the outermost counts.

    Args:
        path: The file.
        language: Of its texts.
        other: Kind of every span, where the file has but one.
    """
    for line in _lines(path):
        row = json.loads(line)
        for start, end in _paragraphs(row["text"]):
            spans = [s for s in row["spans"] if start <= s[0] and s[1] <= end]
            yield _marked(row["text"], start, end, spans, language, other)


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    for part in text.split("\n"):
        if len(part) > 20:
            yield at, at + len(part)
        at += len(part) + 1


def _marked(text: str, start: int, end: int, spans: Sequence[Sequence[Any]], language: str, other: str) -> MarkedText:
    kinds = np.zeros(end - start, dtype=np.int64)
    for span in sorted(spans, key=lambda s: s[0] - s[1]):
        kind = _KIND_OF.get(str(span[2] if len(span) > 2 else other).lower(), "none")
        inside = slice(span[0] - start, span[1] - start)
        if kind in KINDS and not kinds[inside].any():
            kinds[inside] = 2 + 2 * KINDS.index(str(kind))
            kinds[inside.start] -= 1
    words, at = list[tuple[int, int, int]](), 0
    for word in text[start:end].split(" "):
        for a, b in _cut(kinds, at, at + len(word)):
            words.append((a, b, int(kinds[a])))
        at += len(word) + 1
    return MarkedText(text[start:end], language, tuple(words))


def _cut(kinds: NDArray[np.int64], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the parts of a word between which a name begins or ends: "d'Orange" holds one."""
    at = start
    for i in range(start + 1, end):
        begins = kinds[i] % 2 and kinds[i] > 0
        if begins or (kinds[i] == 0) != (kinds[i - 1] == 0):
            yield at, i
            at = i
    if at < end:
        yield at, end


def learned_texts(corpora: Path) -> list[MarkedText]:
    """Return what the heads learn from; the French, of which there is less, counts twice."""
    english: list[MarkedText] = []
    english += read_names(corpora / "ner_en_btc" / "btc.train.gz", "en")
    english += read_names(corpora / "ner_en_wnut17" / "wnut17train.conll.gz", "en")
    english += read_names(corpora / "ner_en_wikigold" / "wikigold-train.conll.gz", "en")
    english += read_names(corpora / "ner_en_multiconer1" / "en_train.conll.xz", "en")
    english += read_names(corpora / "ner_en_multiconer2" / "en-train.conll.xz", "en")
    english += read_spans(corpora / "ner_en_fashion_brands" / "train.jsonl.gz", "en", other="organization")
    winer = list(read_spans(corpora / "ner_fr_winer" / "train.jsonl.xz", "fr"))
    french = [*read_names(corpora / "ner_fr_multiconer2_dev" / "fr_dev.conll.gz", "fr"), *winer[: _learned(winer)]]
    return english + 2 * french


def _learned(texts: Sequence[MarkedText]) -> int:
    return len(texts) * 9 // 10


def held_out_texts(corpora: Path) -> dict[str, list[MarkedText]]:
    """Return what the heads are measured on, by name."""
    ewt = corpora / "ner_en_uner_ewt_dev" / "en_ewt-ud-dev.iob2.gz"
    winer = list(read_spans(corpora / "ner_fr_winer" / "train.jsonl.xz", "fr"))
    return {
        "en, EWT dev": list(read_names(ewt, "en", word=1, tag=2)),
        "en, WNUT 2017 dev": list(read_names(corpora / "ner_en_wnut17" / "emerging.dev.conll.gz", "en")),
        "fr, last tenth of WiNER-fr": winer[_learned(winer) :],
    }


def varied(texts: Sequence[MarkedText], rng: random.Random, chances: dict[str, float]) -> list[MarkedText]:
    """Return texts joined by one to four of one language, some in small letters, in capitals, without accents."""
    found = []
    for language in ("en", "fr"):
        left = [t for t in texts if t.language == language]
        rng.shuffle(left)
        while left:
            n = rng.choice((1, 1, 2, 3, 4))
            one = joined(left[:n], [rng.choice((" ", "\n", "\n- ")) for _ in range(n)])
            for what, rewrite in (("no_accents", bare), ("lower", str.lower), ("upper", str.upper)):
                one = one.written(rewrite) if rng.random() < chances[what] else one
            found.append(one)
            left = left[n:]
    return found

"""Word classes: which words of a text are nouns, adjectives, links between nouns, or something else.

A hidden Markov tagger with suffixes for words that it has not seen (as TnT: Brants 2000), of pairs of classes and in
lower case; `training/word_classes.py` counts them in treebanks. Labels of themes are made with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.lexicon import fold
from models.manifest import verified_manifest
from models.types import Language

CLASSES = "NPAVRDMOBCTX."
"""Noun, proper noun, adjective, verb, preposition, determiner, number, pronoun, adverb, conjunction, particle, other
and mark, as Universal Dependencies part them; auxiliaries are verbs."""
LONGEST_SUFFIX = 5
SMOOTH = 0.1
"""Added to each count of a word's classes, shared out as its suffix has them."""
UNLIKELY = -30.0
_LOWER_CASE = np.array([0.01 if letter == "P" else 1.0 for letter in CLASSES])
"""What becomes of the chances of a word in lower case: few of those are proper nouns."""
AT_ONCE = 2_000
"""Texts that are read together."""

_COUNT = re.compile(r"(\D)(\d+)")

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class WordClasses:
    """The tagger of one language.

    Attributes:
        words: Counts of each word's classes, (n_classes,); words with accents stand without them too.
        suffixes: Shares of the classes of words that end so; the empty one is of all.
        follow: Log chance of a class (column) after another (row), (n_classes + 1, n_classes); the last row begins.
        shares: Log share of each class, (n_classes,).
    """

    words: Mapping[str, Scores]
    suffixes: Mapping[str, Scores]
    follow: Scores
    shares: Scores

    def classify(self, texts: Sequence[Sequence[str]]) -> list[str]:
        """Return the classes of the words of each text, a letter of `CLASSES` each.

        Args:
            texts: Words and marks, as written.
        """
        return [line for i in range(0, len(texts), AT_ONCE) for line in self._best(texts[i : i + AT_ONCE])]

    def _best(self, texts: Sequence[Sequence[str]]) -> list[str]:
        """Return the likeliest row of classes of each text (Viterbi 1967)."""
        lengths = np.array([len(text) for text in texts])
        longest = int(lengths.max(initial=0))
        if not longest:
            return ["" for _ in texts]
        known = {word: self._score(word) for word in {word for text in texts for word in text}}
        scores = np.zeros((len(texts), longest, len(CLASSES)))
        for row, text in enumerate(texts):
            if text:
                scores[row, : len(text)] = [known[word] for word in text]
        best = self.follow[-1] + scores[:, 0]
        came = np.zeros(scores.shape, dtype=np.int8)
        for place in range(1, longest):
            through = best[:, :, None] + self.follow[:-1]
            came[:, place] = through.argmax(axis=1)
            on = lengths > place
            best[on] = through.max(axis=1)[on] + scores[on, place]
        return [_back(came[row], int(best[row].argmax()), int(n)) for row, n in enumerate(lengths)]

    def _counts(self, word: str) -> Scores | None:
        """Return the counts of a word's classes, or of its form without accents, or without an s."""
        forms = (word, fold(word), word.removesuffix("s"), fold(word).removesuffix("s"))
        return next((self.words[form] for form in forms if form in self.words), None)

    def _score(self, word: str) -> Scores:
        """Return the log chances of a word's classes over their shares, (n_classes,)."""
        if not any(map(str.isalnum, word)):
            return np.where(np.array([*CLASSES]) == ".", 0.0, UNLIKELY)
        plain = word.lower()
        counts = self._counts(plain)
        endings = (plain[len(plain) - n :] for n in range(min(LONGEST_SUFFIX, len(plain)), -1, -1))
        guess = next(self.suffixes[ending] for ending in endings if ending in self.suffixes)
        chances = guess if counts is None else (counts + SMOOTH * guess) / (counts.sum() + SMOOTH)
        if word.islower():
            chances = chances * _LOWER_CASE
        return np.log(chances + 1e-9) - self.shares


def _back(came: NDArray[np.int8], last: int, length: int) -> str:
    """Follow the likeliest row of classes back from its last."""
    row = []
    for place in range(length - 1, -1, -1):
        row.append(CLASSES[last])
        last = int(came[place, last])
    return "".join(reversed(row))


@lru_cache(maxsize=1)
def load_word_classes(folder: Path) -> dict[Language, WordClasses]:
    """Load the taggers of English and French.

    Raises:
        ArtefactMissing: If a file is not there.
        ArtefactDamaged: If a file is not the one that the manifest describes.
    """
    verified_manifest(folder)
    return {language: _read(folder / f"{language}.json") for language in (Language.EN, Language.FR)}


def _read(path: Path) -> WordClasses:
    stored = json.loads(path.read_text(encoding="utf-8"))
    words = {word: _counts(written) for word, written in stored["words"].items()}
    plain: dict[str, Scores] = {}
    for word, counts in words.items():
        if fold(word) not in words:
            plain[fold(word)] = plain.get(fold(word), 0) + counts
    suffixes = {ending: _counts(written) for ending, written in stored["suffixes"].items()}
    follow = np.array(stored["follow"], dtype=np.float64)
    return WordClasses(
        words | plain,
        {ending: counts / counts.sum() for ending, counts in suffixes.items()},
        np.log(follow / follow.sum(axis=1, keepdims=True)),
        np.log(follow.sum(axis=0) / follow.sum()),
    )


def _counts(written: str) -> Scores:
    """Read counts of classes as they are written: "N12V3"."""
    counts = np.zeros(len(CLASSES))
    for letter, number in _COUNT.findall(written):
        counts[CLASSES.index(letter)] = int(number)
    return counts

"""Which language a passage and a note are in.

A logistic regression over hashed character n-grams tells French from English, also without accents and in text-message
spelling; word lists then say whether it is either of them at all.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import HashingVectorizer
from spacy.tokens import Doc

from models.errors import ArtefactMissing
from models.lexicon import Lexicon, fold
from models.notes import ReadNote
from models.spans import batches
from models.types import Language

N_FEATURES = 2**15
_WORD = re.compile(r"[^\W\d_]+(?:['’](?=[^\W\d_]))?")
_LATIN = re.compile(r"[A-Za-zÀ-ɏ]")
_TOP = 3_000
_MARGIN = 0.5
_FOREIGN_SHARE = 0.6
_MAX_WORD = 40


def language_features(texts: Sequence[str]) -> csr_matrix:
    """Return hashed counts of character n-grams within words, rows of unit length; shape (n_texts, N_FEATURES)."""
    vectorizer = HashingVectorizer(
        analyzer="char_wb",
        ngram_range=(1, 4),
        n_features=N_FEATURES,
        alternate_sign=False,
        lowercase=True,
        dtype=np.float32,
    )
    return csr_matrix(vectorizer.transform(texts))


@dataclass(frozen=True, slots=True)
class OtherWords:
    """Folded frequent words of languages that are neither English nor French, each with the codes of its languages.

    Attributes:
        own: At least ten times as frequent there as in English and in French: they speak for these languages.
        shared: Frequent there and in English or French: they speak neither for nor against.
    """

    own: Mapping[str, Sequence[str]]
    shared: Mapping[str, Sequence[str]]

    def are_in(self, words: Sequence[str], lexicon: Lexicon) -> bool:
        """Tell whether `words` are rather in one of these languages: two words of its own, and few of ours.

        Words of two letters ("mi", "hi") are abbreviations too often to count as its own.
        """
        ours = sum(w in lexicon.words or len(w) == 1 for w in words)
        own = Counter(code for w in set(words) if len(w) > 2 for code in self.own.get(w, ()))
        theirs = Counter(
            code for w in words if w in lexicon.words for code in (*self.own.get(w, ()), *self.shared.get(w, ()))
        )
        return any(n >= 2 and n > _FOREIGN_SHARE * (ours - theirs[code]) for code, n in own.items())


class LanguageReader:
    """Tells the language of texts.

    Args:
        weights: float32, shape (N_FEATURES,); positive speaks for French.
        bias: Of the same regression.
        lexicon: The ordinary words of both languages.
        others: Words of other languages.
    """

    def __init__(self, weights: NDArray[np.float32], bias: float, lexicon: Lexicon, others: OtherWords) -> None:
        self._weights = weights
        self._bias = bias
        self._lexicon = lexicon
        self._others = others
        english = {w for w in lexicon.english if lexicon.words[w] < _TOP} - lexicon.french
        french = {w for w in lexicon.french if lexicon.words[w] < _TOP} - lexicon.english
        self._function_words = {Language.EN: english, Language.FR: french}

    def read(self, texts: Sequence[str]) -> list[Language]:
        """Return `en`, `fr` or `unknown` for each text."""
        if not texts:
            return []
        scores = language_features(texts) @ self._weights + self._bias
        return [self._decide(text, float(score)) for text, score in zip(texts, scores, strict=True)]

    def read_notes(self, notes: Sequence[Sequence[str]]) -> list[Language]:
        """Return each note's language from its segments' texts: `mixed` where both have a real part of it."""
        languages = iter(self.read([segment for segments in notes for segment in segments]))
        return [self._whole(segments, [next(languages) for _ in segments]) for segments in notes]

    def _whole(self, segments: Sequence[str], languages: Sequence[Language]) -> Language:
        words = {language: 0 for language in Language}
        function_words = {Language.EN: 0, Language.FR: 0}
        for text, language in zip(segments, languages, strict=True):
            folded = [fold(w) for w in _WORD.findall(text[:2_000])]
            words[language] += len(folded)
            for known, listed in self._function_words.items():
                function_words[known] += sum(w in listed for w in folded)
        both = sorted(function_words.values())
        if both[0] >= 3 and both[0] >= 0.1 * sum(both) and words[Language.UNKNOWN] < 0.5 * sum(words.values()):
            return Language.MIXED
        best = max(words, key=lambda language: words[language])
        return best if words[best] else Language.UNKNOWN

    def _decide(self, text: str, score: float) -> Language:
        written = [w.rstrip("'’") for w in _WORD.findall(text[:2_000])]
        words = [fold(w) for w in written if _is_word(w)]
        letters = sum(map(len, words))
        if letters < 2 or len(_LATIN.findall(text[:2_000])) < 0.6 * letters:
            return Language.UNKNOWN
        # Words with a capital alone may be a name: "Van der Aa", "Antwerpen Zuid".
        common = any(w.islower() and fold(w) in self._others.own for w in written) or text.isupper()
        if common and self._others.are_in(words, self._lexicon):
            return Language.UNKNOWN
        known = sum(w in self._lexicon.words or len(w) == 1 for w in words)
        if len(words) >= 6 and known < 0.2 * len(words) and abs(score) < 4 * _MARGIN:
            return Language.UNKNOWN
        return Language.FR if score > 0 else Language.EN


def _is_word(word: str) -> bool:
    """Tell a word from a held-down key ("aaaa") and a line without spaces."""
    return len(word) <= _MAX_WORD and (len(word) < 3 or len(set(word.lower())) > 1)


class LanguageComponent:
    """Component `binome_language`: writes `doc.user_data["language"]`, the language of the whole note.

    Args:
        reader: Tells the languages.
    """

    def __init__(self, reader: LanguageReader) -> None:
        self.reader = reader

    def __call__(self, doc: Doc) -> Doc:
        """Mark one document."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 64) -> Iterator[Doc]:
        """Read documents, batch by batch."""
        for docs in batches(stream, batch_size):
            notes: list[ReadNote] = [doc.user_data["note"] for doc in docs]
            texts = [[note.segment_text(i) for i in range(len(note.segments))] for note in notes]
            for doc, language in zip(docs, self.reader.read_notes(texts), strict=True):
                doc.user_data["language"] = language
                yield doc


def load_language_reader(folder: Path, lexicon: Lexicon) -> LanguageReader:
    """Read the regression and the words of other languages from `folder`.

    Raises:
        ArtefactMissing: If a file is not there.
    """
    try:
        arrays = load_file(folder / "language.safetensors")
        words = json.loads((folder / "other_words.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArtefactMissing("models/artefacts/language is missing; `make train` builds it") from error
    others = OtherWords(words["own"], words["shared"])
    return LanguageReader(arrays["weights"].astype(np.float32), float(arrays["bias"][0]), lexicon, others)

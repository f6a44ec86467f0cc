"""Which language a passage and a note are in.

A logistic regression over hashed character n-grams tells French from English, also without accents and in text-message
spelling; word lists then say whether it is either of them at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
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
_OTHERS = ("de", "es", "it", "nl", "pt", "pl", "sv", "da", "ro", "ca", "tr")
_WORD = re.compile(r"[^\W\d_]+(?:['’](?=[^\W\d_]))?")
_LATIN = re.compile(r"[A-Za-zÀ-ɏ]")
_TOP = 3_000
_MARGIN = 0.5


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


@cache
def _other_words(lexicon_words: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """Map function words of other languages, unless English or French has them too, to those languages."""
    found: dict[str, tuple[str, ...]] = {}
    for code in _OTHERS:
        for word in import_module(f"spacy.lang.{code}.stop_words").STOP_WORDS:
            folded = fold(word)
            if folded not in lexicon_words and folded.isalpha() and len(folded) > 1:
                found[folded] = (*found.get(folded, ()), code)
    return found


class LanguageReader:
    """Tells the language of texts.

    Args:
        weights: float32, shape (N_FEATURES,); positive speaks for French.
        bias: Of the same regression.
        lexicon: The ordinary words of both languages.
    """

    def __init__(self, weights: NDArray[np.float32], bias: float, lexicon: Lexicon) -> None:
        self._weights = weights
        self._bias = bias
        self._lexicon = lexicon
        self._other = _other_words(lexicon.english | lexicon.french)
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
        words = [fold(w) for w in _WORD.findall(text[:2_000])]
        letters = sum(map(len, words))
        if letters < 2 or len(_LATIN.findall(text[:2_000])) < 0.6 * letters:
            return Language.UNKNOWN
        lexicon = self._lexicon
        known = sum(w.rstrip("'’") in lexicon.words or len(w) == 1 for w in words)
        other: dict[str, int] = {}
        for word in words:
            for code in self._other.get(word, ()):
                other[code] = other.get(code, 0) + 1
        foreign = max(other.values(), default=0)
        if foreign >= 2 and foreign > 0.6 * known:
            return Language.UNKNOWN
        if len(words) >= 6 and known < 0.2 * len(words) and abs(score) < 4 * _MARGIN:
            return Language.UNKNOWN
        return Language.FR if score > 0 else Language.EN


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
    """Read the regression from `folder`.

    Raises:
        ArtefactMissing: If its file is not there.
    """
    try:
        arrays = load_file(folder / "language.safetensors")
    except FileNotFoundError as error:
        raise ArtefactMissing("models/artefacts/language is missing; `make train` builds it") from error
    return LanguageReader(arrays["weights"].astype(np.float32), float(arrays["bias"][0]), lexicon)

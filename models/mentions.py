"""What a name does in a note: whether it is a rival's, where the rival stands there, and how it fares against us.

Four linear classifiers over one description of the context: the words around the name, its clause, the sentences
beside it, the field or heading it stands under, how it is typed. The name's own letters are left out, so that the
context decides and any catalogue will do. They are pooled with the tagger; of a listed name, a head over both and over
what the tagger reads there has the last word (`models/listed_names.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from models.blend import LEAST, pool, reordered
from models.candidates import is_tool
from models.catalog import NameMatch, Spelling
from models.cues import classes_of, cue_features
from models.lexicon import Lexicon, fold
from models.linear import LinearModel, load_linear
from models.listed_names import ListedName, listed_features
from models.name_kinds import KINDS, NameKinds
from models.notes import ReadNote, character_ngrams, ngrams, plain_tokens
from models.segments import Segment
from models.tagger import RELATION, STANDING, Tagged
from models.types import Relation, Standing

N_FEATURES = 2**17
LISTED_FILE = "listed.safetensors"
NO, YES = "no", "yes"
_WINDOW = 5
LEAST_NAME = 0.03
"""See `least_chance`; chosen on held-out industries."""
SURE = 0.8
"""Chance from which the network counts as sure of a name's kind."""
MAX_ACRONYM = 4
"""Letters of the longest word in capitals that is written so as a name; longer ones are shouted."""
MAX_REPEATS = 8
"""Places looked at where a name stands again."""
_US = frozenset(["we", "us", "our", "ours", "nous", "notre", "nos", "me", "my", "moi", "mon", "i", "je", "j"])
_NEGATION = frozenset(
    [
        "no",
        "not",
        "never",
        "none",
        "nothing",
        "without",
        "nobody",
        "n't",
        "don",
        "doesn",
        "didn",
        "isn",
        "wasn",
        "won",
        "can't",
        "pas",
        "plus",
        "jamais",
        "rien",
        "aucun",
        "aucune",
        "sans",
        "ni",
        "ne",
        "nul",
    ]
)


@dataclass(frozen=True, slots=True)
class Name:
    """A name at `words[first:last]`: a catalogue match, or a candidate that nobody listed (`match` is None)."""

    first: int
    last: int
    match: NameMatch | None = None

    def place(self, note: ReadNote) -> tuple[int, int]:
        """Return its offsets in the note's text."""
        return note.words[self.first].start, note.words[self.last - 1].end


def _clause_of(segment: Segment, offset: int) -> tuple[int, int]:
    for start, end in segment.clauses:
        if offset < end:
            return min(start, offset), end
    return segment.start, segment.end


def _around(
    note: ReadNote, start: int, end: int, segment: Segment, others: Sequence[tuple[int, int]]
) -> tuple[list[str], list[str]]:
    """Return the tokens left and right of a name within its segment and its label, other names as "xname"."""
    first = segment.start if segment.start <= start else note.label_start(start)
    left, right = note.text[first:start], note.text[end : segment.end]
    for a, b in sorted(others, reverse=True):
        if first <= a and b <= start:
            left = left[: a - first] + " xname " + left[b - first :]
        elif end <= a and b <= segment.end:
            right = right[: a - end] + " xname " + right[b - end :]
    return plain_tokens(left[-400:]), plain_tokens(right[:400])


def _shape(word: str) -> str:
    if word.isupper():
        return "upper"
    if word[:1].isupper():
        return "title" if word[1:].islower() else "camel"
    return "lower" if word.isalpha() else "mixed"


def mention_features(
    note: ReadNote, name: Name, lexicon: Lexicon, others: Sequence[tuple[int, int]], kinds: NameKinds
) -> list[str]:
    """Describe a name in its context.

    Args:
        note: The note.
        name: The name to describe.
        lexicon: Ordinary words, first names, places.
        others: Offsets of the catalogue's names in its segment, this one perhaps among them.
        kinds: What the network takes the note's names for.

    Returns:
        Names of features, for `hash_features`.
    """
    start, end = name.place(note)
    index = note.segment_of(start)
    if index is None:
        return ["outside"]
    segment = note.segments[index]
    left, right = _around(note, start, end, segment, others)
    features = [f"L{i}={t}" for i, t in enumerate(left[: -_WINDOW - 1 : -1])]
    features += [f"R{i}={t}" for i, t in enumerate(right[:_WINDOW])]
    features += ngrams(left[-8:], "l:") + ngrams(right[:10], "r:")
    features += [
        f"L01={'_'.join(left[-2:])}",
        f"R01={'_'.join(right[:2])}",
        f"LR={'_'.join(left[-1:])}|{'_'.join(right[:1])}",
    ]
    clause = _clause_of(segment, start)
    inner = [*plain_tokens(note.text[clause[0] : start]), "xthis", *plain_tokens(note.text[end : clause[1]])]
    features += ngrams(inner[:60], "c:") + ngrams(left[-40:] + right[:40], "s:", bigrams=False)
    features += ngrams(note.segment_tokens(index - 1)[-35:], "p:", bigrams=False)
    features += ngrams(note.segment_tokens(index + 1)[:35], "n:", bigrams=False)
    features += [f"label={w}" for w in segment.label.split()[:5]] + [f"line={segment.kind}", f"kind={note.kind}"]
    features.append(f"none_met={note.denies_rivals} line={segment.kind}")
    features += [f"us={bool(_US & set(left + right))}", f"not={bool(_NEGATION & set(inner))}"]
    features += [f"names={min(3, len(others))}", "first" if not left else "inside", "last" if not right else "goes_on"]
    features += cue_features(left, right) + _place_features(note, start, end, segment) + _elsewhere(note, name)
    features += _kind_features(kinds, start, end)
    return [*features, *_typing_features(note, name, lexicon, at_start=not left)]


def _kind_features(kinds: NameKinds, start: int, end: int) -> list[str]:
    """Describe what the network takes the name for: a person's, a place's, a firm's, a product's, or no name."""
    chances = kinds.chances(start, end)
    likeliest = int(chances.argmax())
    kind = "none" if likeliest == 0 else KINDS[likeliest - 1]
    return [f"kind={kind}", f"kind={kind} sure={chances[likeliest] >= SURE}"]


def _elsewhere(note: ReadNote, name: Name) -> list[str]:
    """Describe what stands around the name where the note has it again: once told, a writer takes it as known."""
    features = []
    opening = note.words[name.first].folded
    for i in note.places[opening][:MAX_REPEATS]:
        if name.first <= i < name.last:
            continue
        before, after = note.words[max(0, i - 3) : i], note.words[i + 1 : i + 4]
        features += [f"eL*{c}" for w in before for c in classes_of(w.folded)]
        features += [f"eR*{c}" for w in after for c in classes_of(w.folded)]
        features += [f"eL0={w.folded}" for w in before[-1:]] + [f"eR0={w.folded}" for w in after[:1]]
    if opening in note.speakers:
        features.append("speaker")
    return features


def _place_features(note: ReadNote, start: int, end: int, segment: Segment) -> list[str]:
    """Describe where on its line the name stands: accounts of a report and speakers open lines."""
    before = note.text[max(0, start - 3) : start]
    opens_line = start == 0 or "\n" in before or (start == segment.start and segment.label != "")
    after = note.text[end : end + 2]
    return [
        f"opens_line={opens_line} after={after[:1]}",
        f"alone={segment.end - segment.start <= end - start + 2}",
        f"first_line={start < 60 and segment is note.segments[0]}",
        f"marks={before[-1:]}|{after[:1]}",
    ]


def _typing_features(note: ReadNote, name: Name, lexicon: Lexicon, *, at_start: bool) -> list[str]:
    """Describe how the name is typed and what else its words could be."""
    words = [w.text for w in note.words[name.first : name.last]]
    folded = [fold(w) for w in words]
    shape = _shape(words[0])
    ordinary = all(lexicon.is_ordinary(w) for w in folded)
    first_name = folded[0] in lexicon.first_names
    features = [
        f"shape={shape}",
        f"shape={shape} ordinary={ordinary} start={at_start}",
        f"n_words={min(3, len(words))}",
        f"first_name={first_name}",
        f"place={' '.join(folded) in lexicon.places}",
        f"tool={is_tool(' '.join(folded))}",
        f"length={min(8, sum(map(len, words)))}",
    ]
    if name.match:
        features += [
            f"spelling={name.match.spelling}",
            f"alias_ordinary={name.match.ordinary} shape={shape} start={at_start}",
            f"alias_ordinary={name.match.ordinary} shape={shape} cased={note.cased}",
        ]
        listed = name.match.alias == note.text[note.words[name.first].start : note.words[name.last - 1].end]
        features.append(f"listed={listed} shape={shape}")
    else:
        features += character_ngrams(folded[:1] + folded[-1:], "w:", (2, 3, 4))
    repeats = len(note.places[folded[0]])
    return [*features, f"repeats={min(3, repeats)}"]


class Task(StrEnum):
    """A question asked of a name."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    RELATION = "relation"
    STANDING = "standing"


TAGGER_LABELS: Mapping[Task, tuple[str, ...]] = {
    Task.KNOWN: (NO, YES),
    Task.UNKNOWN: (NO, YES),
    Task.RELATION: tuple(str(r) for r in Relation),
    Task.STANDING: tuple(str(s) for s in Standing),
}
"""The order in which `tagger_opinion` answers."""


def tagger_opinion(tagged: Tagged, task: Task, start: int, end: int) -> NDArray[np.float32]:
    """Return the tagger's probabilities on the name between two offsets, in the order of `TAGGER_LABELS`."""
    if task is Task.RELATION:
        return tagged.chances(start, end, RELATION)
    if task is Task.STANDING:
        return tagged.chances(start, end, STANDING)
    chance = tagged.name_chance(start, end)
    return np.array([1 - chance, chance], dtype=np.float32)


def least_chance(note: ReadNote, name: Name) -> float:
    """Return the least that either voice gives to a name's being a rival's, or none.

    The tagger doesn't know the catalogue, and may be sure that a name which it never met is none: where the writing
    speaks for a listed name, it alone doesn't rule it out. Nor is it alone sure of a name that nobody listed.
    """
    if name.match is None:
        return LEAST_NAME
    word, start = note.words[name.first].text, note.words[name.first].start
    capital = word[:1].isupper() and not (word.isupper() and len(word) > MAX_ACRONYM)
    before = note.text[max(0, start - 4) : start].rstrip(" \t(\"'«“‘")
    inside = bool(before) and before[-1] not in ".!?:;\n-–•*>"
    written = (capital and inside) or (not name.match.ordinary and (capital or not note.cased))
    return LEAST_NAME if written and name.match.spelling is Spelling.EXACT else LEAST


@dataclass(frozen=True)
class MentionReader:
    """The classifiers of names, and how they are pooled with the tagger (`models/blend.py`).

    Attributes:
        models: For `KNOWN`, whether a catalogue's name is a rival here, and `UNKNOWN`, whether a candidate is, the
            classes are `no` and `yes`; for the others the guide's values.
        listed: The head that judges the catalogue's names, by `models.listed_names.listed_features`.
        weights: Of the tagger's opinion, in [0, 1].
        thresholds: Least pooled probability of `yes`.
        listed_threshold: Least probability of `yes` by the head.
    """

    models: Mapping[Task, LinearModel]
    listed: LinearModel
    weights: Mapping[Task, float]
    thresholds: Mapping[Task, float]
    listed_threshold: float

    def chances(
        self, task: Task, features: csr_matrix, tagged: NDArray[np.float32], least: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Return pooled probabilities in the order of the task's labels.

        Args:
            tagged: The tagger's opinion on each row.
            least: The least chance on each row (`least_chance`).
        """
        model = self.models[task]
        opinion = reordered(tagged, TAGGER_LABELS[task], model.labels)
        return pool(model.probabilities(features), opinion, self.weights[task], least=least[:, None])

    def listed_chances(
        self, features: csr_matrix, names: Sequence[tuple[ReadNote, Tagged, Name]]
    ) -> NDArray[np.float32]:
        """Return how likely names of the catalogue are rivals' in their notes, (n,).

        Args:
            features: Of each, hashed.
            names: Each with its note and the tagger's reading of it.
        """
        yes = self.models[Task.KNOWN].labels.index(YES)
        answers = self.models[Task.KNOWN].probabilities(features)[:, yes]
        listed = [
            ListedName(note, tagged, *name.place(note), chance, least_chance(note, name))
            for (note, tagged, name), chance in zip(names, answers.tolist(), strict=True)
        ]
        return self.listed.probabilities(listed_features(listed))[:, self.listed.labels.index(YES)]


def is_certain(match: NameMatch | None) -> bool:
    """Tell whether a catalogue match needs no context to be a name: spelt as listed and no ordinary word."""
    return match is not None and match.spelling is Spelling.EXACT and not match.ordinary


def load_mention_reader(folder: Path) -> MentionReader:
    """Read the four classifiers and the head.

    Raises:
        ArtefactMissing: If one is not there.
    """
    models = {task: load_linear(folder / f"{task}.safetensors") for task in Task}
    listed = load_linear(folder / LISTED_FILE)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights, thresholds = ({Task(k): v for k, v in config[name].items()} for name in ("weights", "thresholds"))
    return MentionReader(models, listed, weights, thresholds, config["listed_threshold"])

"""Measures of a tagger's readings, after section 5 of the annotation guide, and the choice of its settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from sklearn.linear_model import LogisticRegression

from models.tagger import Pieces, Settings, Tagged, find_names, find_objections
from training.reader_examples import Example, Mark


def scores(examples: Sequence[Example], tagged: Sequence[Tagged]) -> dict[str, float]:
    """Return F1 of objections (note x type, any, spans), of names, and accuracies on what matches; all in [0, 1]."""
    note_type, any_note, spans, names = (np.zeros(3) for _ in range(4))
    status, relation, standing = list[bool](), list[tuple[str, str]](), list[bool]()
    for example, found in zip(examples, tagged, strict=True):
        gold_types = {m.labels[0] for m in example.objections}
        found_types = {o.type.value for o in found.objections}
        note_type += _counts(len(gold_types & found_types), len(found_types), len(gold_types))
        any_note += _counts(bool(gold_types and found_types), bool(found_types), bool(gold_types))
        pairs = matched(
            [(m.start, m.end, m.labels[0]) for m in example.objections],
            [(o.start, o.end, o.type.value) for o in found.objections],
        )
        spans += _counts(len(pairs), len(found.objections), len(example.objections))
        status += [example.objections[i].labels[1] == found.objections[j].status.value for i, j in pairs]
        pairs = matched([(m.start, m.end, "") for m in example.names], [(n.start, n.end, "") for n in found.names])
        names += _counts(len(pairs), len(found.names), len(example.names))
        for mark in example.names:
            relation.append((mark.labels[0], found.relation(mark.start, mark.end).value))
            standing.append(mark.labels[1] == found.standing(mark.start, mark.end).value)
    return {
        "note_type_f1": f1(note_type),
        "any_f1": f1(any_note),
        "span_f1": f1(spans),
        "status_accuracy": _mean(status),
        "name_f1": f1(names),
        "relation_macro_f1": macro_f1(relation),
        "standing_accuracy": _mean(standing),
    }


def _counts(both: float, found: float, gold: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([both, found, gold], dtype=np.float64)


def f1(counts: Iterable[float]) -> float:
    """Return F1 of (matched, found, gold) counts."""
    both, found, gold = counts
    return float(2 * both / (found + gold)) if found + gold else 0.0


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """Return the mean F1 over the gold labels of (gold, found) pairs."""
    labels = {gold for gold, _ in pairs}
    each = [
        f1((sum(g == x == y for g, y in pairs), sum(y == x for _, y in pairs), sum(g == x for g, _ in pairs)))
        for x in labels
    ]
    return _mean(each)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def matched(gold: Sequence[tuple[int, int, str]], found: Sequence[tuple[int, int, str]]) -> list[tuple[int, int]]:
    """Pair spans of the same label that share half of the shorter one, the largest overlap first."""
    candidates = []
    for i, (a, b, label) in enumerate(gold):
        for j, (c, d, other) in enumerate(found):
            shared = (min(b, d) - max(a, c)) / max(1, min(b - a, d - c))
            if label == other and shared >= 0.5:
                candidates.append((-shared, i, j))
    pairs: list[tuple[int, int]] = []
    for _, i, j in sorted(candidates):
        if all(i != a and j != b for a, b in pairs):
            pairs.append((i, j))
    return pairs


def chosen_settings(examples: Sequence[Example], pieces: Sequence[Pieces]) -> Settings:
    """Choose thresholds by F1 on held-out notes, then fit the score's calibration (Platt 1999)."""
    read = list(zip(examples, pieces, strict=True))
    trials = [
        Settings(objection=objection, piece=piece, begin=begin)
        for piece in (0.25, 0.35, 0.45)
        for begin in (0.5, 0.65, 0.8, 0.9)
        for objection in (0.4, 0.5, 0.6, 0.7)
        if objection > piece
    ]
    best = max(trials, key=lambda trial: _objections_f1(read, trial))
    names = [replace(best, name=float(name)) for name in np.arange(0.2, 0.85, 0.05)]
    return calibrated(examples, pieces, max(names, key=lambda trial: _names_f1(read, trial)))


def _objections_f1(read: Sequence[tuple[Example, Pieces]], settings: Settings) -> float:
    """Return F1 over (note, type) and over spans, added."""
    note_type, spans = np.zeros(3), np.zeros(3)
    for example, pieces in read:
        found = [(o.start, o.end, o.type.value) for o in find_objections(example.text, pieces, settings)]
        gold = [(m.start, m.end, m.labels[0]) for m in example.objections]
        gold_types, found_types = {g[2] for g in gold}, {f[2] for f in found}
        note_type += _counts(len(gold_types & found_types), len(found_types), len(gold_types))
        spans += _counts(len(matched(gold, found)), len(found), len(gold))
    return f1(note_type) + f1(spans)


def _names_f1(read: Sequence[tuple[Example, Pieces]], settings: Settings) -> float:
    counts = np.zeros(3)
    for example, pieces in read:
        found = [(n.start, n.end, "") for n in find_names(pieces, settings)]
        gold = [(m.start, m.end, "") for m in example.names]
        counts += _counts(len(matched(gold, found)), len(found), len(gold))
    return f1(counts)


def calibrated(examples: Sequence[Example], pieces: Sequence[Pieces], settings: Settings) -> Settings:
    """Fit slope and intercept so that a score is the share of such findings that match a marked objection."""
    lenient = replace(settings, objection=0.3, slope=1.0, intercept=0.0)
    odds, right = list[float](), list[bool]()
    for example, one in zip(examples, pieces, strict=True):
        found = Tagged(example.text, one, lenient).objections
        gold: list[Mark] = list(example.objections)
        hits = {
            j
            for _, j in matched(
                [(m.start, m.end, m.labels[0]) for m in gold], [(o.start, o.end, o.type.value) for o in found]
            )
        }
        odds += [float(np.log(o.score / (1 - o.score + 1e-6))) for o in found]
        right += [j in hits for j in range(len(found))]
    if len(set(right)) < 2:
        return settings
    fit = LogisticRegression().fit(np.array(odds)[:, None], right)
    return replace(settings, slope=float(fit.coef_[0, 0]), intercept=float(fit.intercept_[0]))

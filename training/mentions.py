"""Trains the classifiers of `models/mentions.py`: is it a rival, its relation, its standing; and its head."""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.blend import LEAST, agreed, pool, reordered
from models.candidates import CandidateFinder
from models.catalog import CatalogMatcher
from models.competitors import catalogue_names, find_candidates, name_in_note, names_by_segment
from models.lexicon import Lexicon, load_lexicon
from models.linear import LinearModel, hash_features, save_linear
from models.listed_names import ListedName, listed_features
from models.manifest import verified_manifest, write_manifest
from models.mentions import (
    LISTED_FILE,
    N_FEATURES,
    NO,
    TAGGER_LABELS,
    YES,
    Name,
    Task,
    least_chance,
    mention_features,
    tagger_opinion,
)
from models.tagger import Tagged, load_tagger
from training.examples import Example, fingerprint, read_examples
from training.listed_names import HARD_WEIGHT, STRENGTH, ListedRows, fit_head, judge_head
from training.measures import accuracy, macro_f1
from training.objections import fit_linear, fit_temperature, out_of_fold, tempered, unseen_industries
from training.reader_names import NameMaker

HARD = Path("data/hard-names")
STRENGTHS = {Task.KNOWN: 30.0, Task.UNKNOWN: 100.0, Task.RELATION: 100.0, Task.STANDING: 100.0}
"""Inverse of the penalty on the weights."""
SEED = 7
MIN_NAME_PART = 4
"""Letters from which a part of an account's name is known for it (`service.analysis.queries`)."""
HEADED_SHARE = 0.3
"""Of the texts, learned from a second time under an account's name."""
ROUNDS = 20
"""Of the fit over all names."""
LOPSIDED = 0.02
"""What a weight of 1 for one voice must gain over equal weights."""


@dataclass
class Rows:
    """The examples of one task.

    Attributes:
        features: Names of features.
        groups: Industries.
        places: Index of the text, and offsets of the name.
        counted: Whether the row counts when settings are chosen: names of whole notes, as they will be met.
        least: The least that either voice gives to a class (`models.mentions.least_chance`).
        keys: Equal for the places of one name in one text.
    """

    features: list[list[str]] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    places: list[tuple[int, int, int]] = field(default_factory=list)
    counted: list[bool] = field(default_factory=list)
    least: list[float] = field(default_factory=list)
    keys: list[tuple[int, str]] = field(default_factory=list)

    def add(
        self,
        features: list[str],
        label: str,
        group: str,
        place: tuple[int, int, int],
        *,
        counted: bool,
        key: tuple[int, str],
        least: float = LEAST,
    ) -> None:
        """Append one row."""
        self.keys.append(key)
        self.features.append(features)
        self.labels.append(label)
        self.groups.append(group)
        self.places.append(place)
        self.counted.append(counted)
        self.least.append(least)


def _overlapping(example: Example, start: int, end: int) -> dict[str, str] | None:
    return next((c for c in example.gold["competitors"] if c["start"] < end and start < c["end"]), None)


def judged_names(
    example: Example, matcher: CatalogMatcher, finder: CandidateFinder
) -> Iterator[tuple[Name, dict[str, str] | None]]:
    """Yield every catalogue match and every candidate of a text, with the gold mention that it overlaps."""
    note = example.note
    matches = catalogue_names(note, matcher)
    taken = {i for m in matches for i in range(m.first, m.last)}
    names = [Name(m.first, m.last, m) for m in matches if m.name] + find_candidates(
        note, finder, taken, matcher.own_words
    )
    for name in names:
        yield name, _overlapping(example, *name.place(note))


def build_rows(examples: Sequence[Example], lexicon: Lexicon, tagged: Sequence[Tagged]) -> dict[Task, Rows]:
    """Describe and label all names of the corpus.

    A listed rival is also an example of an unlisted one: without the catalogue, nothing but the context tells.

    Args:
        examples: The texts.
        lexicon: Ordinary words, first names, places.
        tagged: The tagger's reading of each text.
    """
    rows = {task: Rows() for task in Task}
    finder = CandidateFinder(lexicon)
    matchers: dict[str, CatalogMatcher] = {}
    for number, example in enumerate(examples):
        matcher = matchers.setdefault(example.group, CatalogMatcher(example.catalog, lexicon))
        judged = list(judged_names(example, matcher, finder))
        by_segment = names_by_segment(example.note, [n for n, _ in judged if n.match])
        for name, gold in judged:
            others = by_segment.get(example.note.segment_of(example.note.words[name.first].start), ())
            _add_name(rows, example, number, name, gold, partial(_described, example, lexicon, others, tagged[number]))
    return rows


def _described(
    example: Example, lexicon: Lexicon, others: Sequence[tuple[int, int]], tagged: Tagged, name: Name
) -> list[str]:
    return mention_features(example.note, name, lexicon, others, tagged.kinds)


def _add_name(
    rows: dict[Task, Rows],
    example: Example,
    number: int,
    name: Name,
    gold: dict[str, str] | None,
    describe: Callable[[Name], list[str]],
) -> None:
    group, place = example.group, (number, *name.place(example.note))
    key = name_in_note(number, example.note.text[place[1] : place[2]])
    features = describe(name)
    task = Task.KNOWN if name.match else Task.UNKNOWN
    # Whole notes hardly hold a listed name that is no rival there; passages do.
    counted = not example.copied and (example.whole or task is Task.KNOWN) and not _is_customer(example, place)
    least = least_chance(example.note, name)
    rows[task].add(features, YES if gold else NO, group, place, counted=counted, key=key, least=least)
    if gold:
        if name.match:
            unlisted = describe(Name(name.first, name.last))
            rows[Task.UNKNOWN].add(unlisted, YES, group, place, counted=False, key=key)
        rows[Task.RELATION].add(features, gold["relation"], group, place, counted=not example.copied, key=key)
        rows[Task.STANDING].add(features, gold["standing"], group, place, counted=not example.copied, key=key)


def _is_customer(example: Example, place: tuple[int, int, int]) -> bool:
    """Tell whether a name is a part of the name of the note's account: such names the service leaves out itself."""
    _, start, end = place
    account = (example.gold.get("account") or {}).get("name", "")
    words = rf"(?<!\w){re.escape(example.note.text[start:end])}(?!\w)"
    return end - start >= MIN_NAME_PART and re.search(words, account, re.IGNORECASE) is not None


def headed_copies(examples: Sequence[Example], lexicon: Lexicon) -> list[Example]:
    """Return some texts again, each opening with an account whose name is drawn as rivals' are.

    Written notes seldom name their account; typed ones often do. The names are those of other industries' rivals.
    """
    rng = random.Random(SEED)
    rivals = {e.group: [c.name for c in e.catalog.competitors] for e in examples}
    makers = {
        group: NameMaker([n for other, names in rivals.items() if other != group for n in names], lexicon)
        for group in rivals
    }
    chosen = [e for e in examples if rng.random() < HEADED_SHARE]
    return [e.opened_with(makers[e.group].heading(rng, e.gold.get("language", "en"))) for e in chosen]


def best_f1_threshold(scores: NDArray[np.float32], truth: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the threshold on `scores` whose decisions have the best F1, and that F1."""

    def f1(threshold: float) -> float:
        found = scores >= threshold
        return float(2 * (found & truth).sum() / max(1, found.sum() + truth.sum()))

    threshold = max(np.arange(0.05, 0.95, 0.02).tolist(), key=f1)
    return round(threshold, 2), f1(threshold)


def judge(
    task: Task,
    pooled: NDArray[np.float32],
    labels: Sequence[str],
    truth: NDArray[np.str_],
    keys: Sequence[tuple[int, str]],
) -> tuple[float, float]:
    """Return the measure that the guide has for a task, and the threshold that reaches it (0 where there is none)."""
    if task in {Task.KNOWN, Task.UNKNOWN}:
        chances = pooled[:, labels.index(YES)]
        threshold, f1 = best_f1_threshold(agreed(chances, keys) if task is Task.UNKNOWN else chances, truth == YES)
        return f1, threshold
    pairs = list(zip(truth.tolist(), np.array(labels)[pooled.argmax(axis=1)].tolist(), strict=True))
    return (macro_f1(pairs) if task is Task.RELATION else accuracy(pairs) or 0.0), 0.0


def set_pooling(task: Task, rows: Rows, unseen: Sequence[str], tagged: Sequence[Tagged]) -> dict[str, float]:
    """Choose the tagger's weight, a temperature and a threshold, on industries that neither voice has seen.

    A weight is judged with its neighbours, because the measures of few names jump; one far from a half must earn it.
    """
    groups, labels = np.array(rows.groups), np.array(rows.labels)
    fit = partial(fit_linear, strength=STRENGTHS[task], rounds=ROUNDS)
    answers, names = out_of_fold(hash_features(rows.features, N_FEATURES), labels, groups, unseen, fit)
    chosen = np.flatnonzero(np.isin(groups, unseen) & np.array(rows.counted))
    temperature = fit_temperature(names, answers[chosen], labels[chosen])
    linear = tempered(answers[chosen], temperature)
    opinions = [tagger_opinion(tagged[t], task, a, b) for t, a, b in (rows.places[i] for i in chosen)]
    other = reordered(np.array(opinions), TAGGER_LABELS[task], names)
    least = np.array(rows.least)[chosen]
    results = []
    for weight in np.arange(0, 1.01, 0.1).tolist():
        pooled = pool(linear, other, weight, least=least[:, None])
        measure, threshold = judge(task, pooled, names, labels[chosen], [rows.keys[i] for i in chosen])
        results.append({"measure": measure, "weight": round(weight, 2), "threshold": threshold})
    measures = [r["measure"] for r in results]
    costs = [LOPSIDED * abs(r["weight"] - 0.5) for r in results]
    best = max(range(len(results)), key=lambda i: np.mean(measures[max(0, i - 1) : i + 2]) - costs[i])
    alone = {"linear_alone": measures[0], "tagger_alone": measures[-1]}
    return {"rows": len(chosen), "temperature": temperature, **alone, **results[best]}


def described_names(
    rows: Rows, chosen: Sequence[int], texts: Sequence[tuple[Example, Tagged]], linear: LinearModel
) -> list[ListedName]:
    """Return some of the listed names as both voices take them."""
    answers = linear.probabilities(hash_features([rows.features[i] for i in chosen], N_FEATURES))
    names = []
    for i, chance in zip(chosen, answers[:, linear.labels.index(YES)].tolist(), strict=True):
        text, start, end = rows.places[i]
        example, tagged = texts[text]
        names.append(ListedName(example.note, tagged, start, end, chance, rows.least[i]))
    return names


def head_rows(
    common: tuple[Rows, Sequence[tuple[Example, Tagged]]],
    hard: tuple[Rows, Sequence[tuple[Example, Tagged]]],
    unseen: Sequence[str],
    temperature: float,
) -> ListedRows:
    """Return what the head learns from: listed names of industries that neither voice has seen, and the hard ones."""
    known, texts = common
    groups, labels = np.array(known.groups), np.array(known.labels)
    seen = ~np.isin(groups, unseen)
    linear = fit_linear(
        hash_features([known.features[i] for i in np.flatnonzero(seen)], N_FEATURES),
        labels[seen],
        STRENGTHS[Task.KNOWN],
        rounds=ROUNDS,
    )
    linear = replace(linear, temperature=temperature)
    chosen = [i for i in np.flatnonzero(~seen).tolist() if not texts[known.places[i][0]][0].copied]
    every = range(len(hard[0].labels))
    names = described_names(known, chosen, texts, linear) + described_names(hard[0], every, hard[1], linear)
    rows = [(known, i) for i in chosen] + [(hard[0], i) for i in every]
    return ListedRows(
        listed_features(names),
        np.array([r.labels[i] == YES for r, i in rows]),
        np.array([r.groups[i] for r, i in rows]),
        [(r is known, r.keys[i]) for r, i in rows],
        np.array([r is not known for r, _ in rows]),
    )


def train(corpus: Path, hard: Path, artefacts: Path, out: Path) -> dict[str, Any]:
    """Write the classifiers, their pooling and the head to `out`, and return what they reach on held-out industries.

    Args:
        corpus: The written corpus.
        hard: Texts in which a listed name is often no rival; the head alone learns from them.
        artefacts: Folder of the lexicon, the tagger and the heads for names.
        out: Where to write.
    """
    lexicon = load_lexicon(artefacts / "lexicon")
    written, hard_texts = list(read_examples(corpus)), list(read_examples(hard))
    examples = [*written, *headed_copies(written, lexicon)]
    tagger = load_tagger(artefacts / "tagger", artefacts / "names")
    tagged = tagger.tag([e.note.text for e in examples])
    unseen = unseen_industries(written, verified_manifest(artefacts / "tagger"))
    settings: dict[str, Any] = {"weights": {}, "thresholds": {}}
    metrics: dict[str, Any] = {}
    all_rows = build_rows(examples, lexicon, tagged)
    for task, rows in all_rows.items():
        pooling = set_pooling(task, rows, unseen, tagged)
        settings["weights"][task] = pooling["weight"]
        if pooling["threshold"]:
            settings["thresholds"][task] = pooling["threshold"]
        metrics[task] = {k: round(v, 4) for k, v in pooling.items()}
        model = fit_linear(
            hash_features(rows.features, N_FEATURES), np.array(rows.labels), STRENGTHS[task], rounds=ROUNDS
        )
        save_linear(replace(model, temperature=pooling["temperature"]), out / f"{task}.safetensors")
    hard_tagged = tagger.tag([e.note.text for e in hard_texts])
    learned = head_rows(
        (all_rows[Task.KNOWN], list(zip(examples, tagged, strict=True))),
        (build_rows(hard_texts, lexicon, hard_tagged)[Task.KNOWN], list(zip(hard_texts, hard_tagged, strict=True))),
        unseen,
        metrics[Task.KNOWN]["temperature"],
    )
    metrics["listed"] = judge_head(learned)
    settings["listed_threshold"] = metrics["listed"]["threshold"]
    save_linear(fit_head(learned), out / LISTED_FILE)
    (out / "config.json").write_text(json.dumps(settings) + "\n", encoding="utf-8")
    write_manifest(
        out,
        "mentions",
        ["config.json", LISTED_FILE, *(f"{task}.safetensors" for task in Task)],
        config={"strengths": STRENGTHS, "head": {"strength": STRENGTH, "hard_weight": HARD_WEIGHT}},
        data={
            "corpus": fingerprint(corpus),
            "texts": len(written),
            "hard": fingerprint(hard),
            "hard_texts": len(hard_texts),
            **{name: verified_manifest(artefacts / name).version for name in ("tagger", "names")},
        },
        metrics=metrics,
        licences={"corpus": "Apache-2.0"},
    )
    return metrics


def main() -> None:
    """`python -m training.mentions [--corpus FOLDER] [--hard FOLDER] [--artefacts FOLDER]`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("data/corpus"))
    parser.add_argument("--hard", type=Path, default=HARD)
    parser.add_argument("--artefacts", type=Path, default=Path("models/artefacts"))
    args = parser.parse_args()
    print(json.dumps(train(args.corpus, args.hard, args.artefacts, args.artefacts / "mentions"), indent=1))


if __name__ == "__main__":
    main()

"""Measures the names of themes on industries that nothing has learned from, in three folds of the written corpus.

    python -m training.theme_names [--corpus data/corpus]

For each fold the space of themes and its subjects are learned from the other industries; the passages of each of its
own are grouped, and the names that groups get compared with the marked themes of their passages. Groups with fewer than
`MIN_MARKED` marked passages are not judged. `training/theme_bench.py` has the figures in its report.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np

from models.encoder import from_bytes, load_encoder
from models.tagger import load_tagger
from models.theme_space import ThemeSpace, Vectors
from models.theme_subjects import SubjectGuess
from models.themes import ARTEFACTS, fit
from models.types import FittedTheme
from training.theme_space import Readings, learn_space, place_passages, read_passages
from training.theme_subjects import SubjectList, read_subjects
from training.theme_workspaces import (
    CORPUS,
    load_describer,
    read_single_passages,
    read_workspaces,
)

FOLDS = 3
MIN_MARKED = 3


@dataclass(frozen=True, slots=True)
class NamedTheme:
    """A group with its name.

    Attributes:
        industry: Where it was found.
        marked: The marked themes of its passages.
        guess: Its subject.
    """

    industry: str
    theme: FittedTheme
    marked: Counter[str]
    guess: SubjectGuess | None

    @property
    def gold(self) -> set[str]:
        """The marked themes that most of its passages have; none where too few are marked."""
        most = max(self.marked.values(), default=0)
        return {theme for theme, n in self.marked.items() if n == most} if self.marked.total() >= MIN_MARKED else set()


def name_folds(notes: Sequence[Readings], singles: Sequence[Readings], listed: SubjectList) -> Iterator[NamedTheme]:
    """Yield the themes of each industry, named by what is learned from the others."""
    order = sorted({each.workspace.name for each in (*notes, *singles)})
    fold = {name: place % FOLDS for place, name in enumerate(order)}
    for number in range(FOLDS):
        others = [[r for r in part if fold[r.workspace.name] != number] for part in (notes, singles)]
        space, _ = learn_space(*others, listed)
        with patch("models.themes._space", lambda space=space: space):  # a fit takes the one that is shipped
            for each in notes:
                if fold[each.workspace.name] == number:
                    yield from name_industry(each, space)


def name_industry(each: Readings, space: ThemeSpace) -> Iterator[NamedTheme]:
    """Yield the themes of one industry."""
    passages = place_passages(each, space).passages
    vectors = from_bytes([passage.theme_vector for passage in passages])
    found = fit(passages, [])
    chances = space.chances(vectors)
    usual = np.average(space.subjects.leanings(vectors), axis=0, weights=chances)
    for number, theme in enumerate(found.themes):
        inside = [i for i, assigned in enumerate(found.assignments) if assigned == number]
        marked = Counter(name for name, place in each.workspace.places if place in set(inside))
        yield NamedTheme(
            each.workspace.name, theme, marked, space.subjects.guess(vectors[inside], chances[inside], usual)
        )


def judge_subjects(named: Sequence[NamedTheme], listed: SubjectList) -> dict[str, float]:
    """Say how often a subject or a family is sure, and how often it is that of most marked passages."""
    families = {subject.key: subject.family for subject in listed.known}
    labels = {subject.label["en"]: subject.family for subject in listed.known}
    labels |= {family["en"]: key for key, family in listed.families.items()}
    judged = [theme for theme in named if theme.gold]
    right: dict[bool, list[bool]] = {True: [], False: []}
    for theme in judged:
        if theme.guess:
            subjects: Counter[str] = Counter()
            for name, n in theme.marked.items():
                key = listed.subject_of(theme.industry, name)
                subjects[families.get(key, name)] += n
            most = max(subjects.values())
            right[theme.guess.sure].append(subjects[labels[theme.guess.label["en"]]] == most)
    return {
        "judged": len(judged),
        "sure": len(right[True]) / len(judged),
        "sure_right": float(np.mean(right[True])),
        "likely": len(right[False]) / len(judged),
        "likely_right": float(np.mean(right[False])),
    }


def judge_labels(named: Sequence[NamedTheme], language: str) -> dict[str, float]:
    """Say how labels of one language do.

    Returns:
        `nearest`: the share of judged labels whose sentence vector is nearest, of the names of all marked themes of the
        industry, to that of the theme's own; `one_word` and `repeated`: shares of all labels that are a single word, or
        that another theme of the industry has too.
    """
    encode = load_encoder(ARTEFACTS / "encoder").encode
    right, one_word, repeated = [], 0, 0
    for industry in sorted({theme.industry for theme in named}):
        themes = [theme for theme in named if theme.industry == industry]
        labels = [theme.theme.label[language] for theme in themes]
        names = sorted({name for theme in themes for name in theme.marked})
        near: Vectors = encode(labels) @ encode([name.replace("-", " ") for name in names]).T
        right += [names[int(row.argmax())] in t.gold for row, t in zip(near, themes, strict=True) if t.gold]
        one_word += sum(" " not in label for label in labels)
        repeated += len(labels) - len({label.casefold() for label in labels})
    return {"nearest": float(np.mean(right)), "one_word": one_word / len(named), "repeated": repeated / len(named)}


def measure_names(notes: Sequence[Readings], corpus: Path) -> dict[str, dict[str, float]]:
    """Measure subjects and labels; `notes` are passages of all industries' whole notes."""
    tagger, listed = load_tagger(ARTEFACTS / "tagger"), read_subjects()
    describer = load_describer(ARTEFACTS, themes=False)
    folders = [path.parent for path in sorted(corpus.glob("*/catalog.json"))]
    singles = [w for w in (read_single_passages(folder, describer) for folder in folders) if w.passages]
    named = list(name_folds(notes, read_passages(singles, tagger), listed))
    return {"subjects": judge_subjects(named, listed), **{lang: judge_labels(named, lang) for lang in ("en", "fr")}}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    args = parser.parse_args()
    notes = read_workspaces(args.corpus, load_describer(ARTEFACTS, themes=False))
    readings = read_passages(notes, load_tagger(ARTEFACTS / "tagger"))
    print(json.dumps(measure_names(readings, args.corpus), indent=1))


if __name__ == "__main__":
    main()

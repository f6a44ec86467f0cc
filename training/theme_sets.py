"""Public sets on which themes are measured; nothing is learned from them.

- `themes_clinc150` (Larson et al. 2019, CC BY 3.0): assistant queries of 150 intents, without those out of scope.
- `themes_sib200_en`, `themes_sib200_fr` (Adelani et al. 2023, CC BY-SA 4.0): sentences of seven topics, each in both
  languages.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.theme_workspaces import Describer, Workspace

N_QUERIES = 5_000
OUT_OF_SCOPE = "oos"


def read_sets(corpora: Path, describer: Describer, n_seeds: int) -> list[Workspace]:
    """Read the public sets: samples of the queries, the sentences in each language, and in both."""
    queries = [each for each in _read(corpora / "themes_clinc150") if each["label"] != OUT_OF_SCOPE]
    english, french = (_read(corpora / f"themes_sib200_{language}") for language in ("en", "fr"))
    both = _set("sib200_both", [*english, *french], describer)
    places = {each["sentence"]: i for i, each in enumerate(english)}
    pairs = [(places[e["sentence"]], i) for i, e in enumerate(french, len(english)) if e["sentence"] in places]
    return [
        _set("sib200_en", english, describer),
        _set("sib200_fr", french, describer),
        Workspace(both.name, both.passages, both.places, pairs),
        *(_set(f"clinc150_{s}", random.Random(s).sample(queries, N_QUERIES), describer) for s in range(n_seeds)),
    ]


def _read(folder: Path) -> list[dict[str, Any]]:
    with gzip.open(folder / "docs.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _set(name: str, texts: Sequence[dict[str, Any]], describer: Describer) -> Workspace:
    """Make a workspace of texts, each an account of its own."""
    passages = describer.passages([each["text"] for each in texts], [*map(str, range(len(texts)))])
    return Workspace(name, passages, [(each["label"], i) for i, each in enumerate(texts)])

"""Objection classifiers side by side on held-out industries; writes `data/metrics/classifiers.json`.

    python -m training.compare_classifiers [--epochs N]

Each judges the clauses of the whole notes of industries that it has not seen: the linear classifier, spaCy's own text
classifier (its ensemble of a bag of words and a convolutional network), the tagger, and the two that are shipped
pooled. Each has the threshold that suits it best, so that no choice of thresholds decides.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import spacy
from numpy.typing import NDArray
from spacy.training import Example as SpacyExample
from spacy.util import fix_random_seed, minibatch

from models.blend import pool, reordered
from models.encoder import load_encoder
from models.manifest import verified_manifest
from models.objections import NONE, TAGGER_TYPES, clauses_of
from models.tagger import load_tagger
from training.examples import Example, read_examples
from training.learning_curve import best_note_types_f1
from training.objections import SEED, STRENGTH, ClauseTable, build_table, fit_linear, tagger_opinions

OUT = Path("data/metrics/classifiers.json")
EPOCHS = 6
BATCH = 256
CONFIG = {
    "model": {
        "@architectures": "spacy.TextCatEnsemble.v2",
        "tok2vec": {
            "@architectures": "spacy.Tok2Vec.v2",
            "embed": {
                "@architectures": "spacy.MultiHashEmbed.v2",
                "width": 96,
                "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE"],
                "rows": [10000, 2500, 2500, 2500],
                "include_static_vectors": False,
            },
            "encode": {
                "@architectures": "spacy.MaxoutWindowEncoder.v2",
                "width": 96,
                "window_size": 1,
                "maxout_pieces": 3,
                "depth": 4,
            },
        },
        "linear_model": {
            "@architectures": "spacy.TextCatBOW.v3",
            "exclusive_classes": True,
            "length": 262144,
            "ngram_size": 2,
            "no_output_layer": False,
        },
    }
}


def clause_texts(examples: Sequence[Example]) -> list[str]:
    """Return every clause, in the order of `training.objections.build_table`."""
    return [e.note.text[c.start : c.end] for e in examples for c in clauses_of(e.note)]


def fit_spacy(texts: Sequence[str], labels: Sequence[str], epochs: int) -> spacy.Language:
    """Train spaCy's text classifier on clauses."""
    fix_random_seed(SEED)
    rng = random.Random(SEED)
    nlp = spacy.blank("xx")
    component = nlp.add_pipe("textcat", config=CONFIG)
    names = sorted(set(labels))
    for name in names:
        component.add_label(name)  # type: ignore[attr-defined]
    rows = [
        SpacyExample.from_dict(nlp.make_doc(text), {"cats": {name: float(name == label) for name in names}})
        for text, label in zip(texts, labels, strict=True)
    ]
    optimizer = nlp.initialize(lambda: rows[:2000])
    for epoch in range(1, epochs + 1):
        rng.shuffle(rows)
        losses: dict[str, float] = {}
        for batch in minibatch(rows, BATCH):
            nlp.update(batch, sgd=optimizer, losses=losses, drop=0.2)
        print(f"spaCy, epoch {epoch}: loss {losses['textcat']:.2f}", flush=True)
    return nlp


def spacy_opinions(nlp: spacy.Language, texts: Sequence[str], labels: Sequence[str]) -> NDArray[np.float32]:
    """Return the chance of each label on each clause."""
    return np.array([[doc.cats[label] for label in labels] for doc in nlp.pipe(texts, batch_size=BATCH)], np.float32)


def compare(artefacts: Path, corpus: Path, epochs: int) -> dict[str, float]:
    """Return the best F1 over (note, type) pairs of each classifier."""
    examples = list(read_examples(corpus))
    table = build_table(examples, load_encoder(artefacts / "encoder"))
    held_out = set(verified_manifest(artefacts / "tagger").config["held_out"])
    held = np.isin(table.groups, sorted(held_out))
    whole = held & np.array([examples[t].whole for t in table.texts])
    texts = np.array(clause_texts(examples), dtype=object)
    linear = fit_linear(table.features[~held], table.labels[~held], STRENGTH)
    opinions = {"linear": linear.probabilities(table.features[whole])}
    tagged, _ = tagger_opinions(examples, held_out, load_tagger(artefacts / "tagger"))
    opinions["tagger"] = reordered(tagged[whole[held]], TAGGER_TYPES, linear.labels)
    opinions["linear and tagger"] = pool(opinions["linear"], opinions["tagger"], 0.7)
    nlp = fit_spacy(texts[~held].tolist(), table.labels[~held].tolist(), epochs)
    opinions["spaCy"] = spacy_opinions(nlp, texts[whole].tolist(), linear.labels)
    notes = table.rows(np.flatnonzero(whole))
    return {name: round(judged(chances, linear.labels, notes, examples), 4) for name, chances in opinions.items()}


def judged(
    chances: NDArray[np.float32], labels: Sequence[str], notes: ClauseTable, examples: Sequence[Example]
) -> float:
    """Return the best F1 over (note, type) pairs that any threshold on these chances reaches."""
    gold = {(t, o["type"]) for t in set(notes.texts.tolist()) for o in examples[t].gold["objections"]}
    return best_note_types_f1(chances, labels.index(NONE), labels, notes, gold)


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("data/corpus"))
    parser.add_argument("--artefacts", type=Path, default=Path("models/artefacts"))
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="of spaCy's classifier")
    args = parser.parse_args()
    found = compare(args.artefacts, args.corpus, args.epochs)
    held_out = verified_manifest(args.artefacts / "tagger").config["held_out"]
    report = {"held_out": held_out, "spacy_epochs": args.epochs, "note_type_f1": found}
    OUT.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()

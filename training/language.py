"""Trains the language reader of `models/language.py` on the public pairs, with accents dropped and texts cut short.

The words of other languages come from the frequency lists of wordfreq (CC BY-SA 4.0).
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression
from wordfreq import get_frequency_dict

from models.language import language_features
from models.lexicon import fold
from models.manifest import write_manifest
from training.public_text import LICENCES, PAIRS, sentences

SEED = 11
PER_LANGUAGE = 60_000
OTHERS = ("de", "es", "it", "nl", "pt", "pl", "sv", "da", "ro", "ca", "tr")
TOP = 3_000
OWN_RATIO = 10
SHARED_RATIO = 1 / 3
RAREST = 1e-7  # the frequency of a word that is not listed


def examples(corpora: Path, language: str, rng: random.Random) -> list[str]:
    """Return sentences and fragments of one to six words, half of them folded."""
    texts = sorted(set(sentences(corpora, language)))
    rng.shuffle(texts)
    found = []
    for text in texts[:PER_LANGUAGE]:
        words = text.split()
        length = rng.choice((1, 2, 3, 4, 6, 12, 30))
        start = rng.randrange(max(1, len(words) - length + 1))
        part = " ".join(words[start : start + length])
        found.append(fold(part) if rng.random() < 0.5 else part)
    return found


def frequencies(language: str) -> Counter[str]:
    """Return the share of each folded word in running text."""
    counts: Counter[str] = Counter()
    for word, share in get_frequency_dict(language, wordlist="small").items():
        if word.isalpha() and len(word) > 1:
            counts[fold(word)] += share
    return counts


def write_other_words(out: Path) -> None:
    """Write the frequent words of other languages, as `models.language.OtherWords` has them, to `other_words.json`."""
    ours = frequencies("en") | frequencies("fr")  # the larger of both
    own, shared = defaultdict(list), defaultdict(list)
    for code in OTHERS:
        for word, share in frequencies(code).most_common(TOP):
            ratio = share / max(ours[word], RAREST)
            if ratio >= OWN_RATIO:
                own[word].append(code)
            elif ratio >= SHARED_RATIO:
                shared[word].append(code)
    text = json.dumps({"own": own, "shared": shared}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    (out / "other_words.json").write_text(text + "\n", encoding="utf-8")


def train(corpora: Path, out: Path) -> float:
    """Write `language.safetensors` and `other_words.json` to `out` and return the accuracy on a tenth held out."""
    rng = random.Random(SEED)
    labelled = [
        (text, label) for label, language in enumerate(("en", "fr")) for text in examples(corpora, language, rng)
    ]
    rng.shuffle(labelled)
    features = language_features([text for text, _ in labelled])
    labels = np.array([label for _, label in labelled])
    held = len(labelled) // 10
    model = LogisticRegression(C=20.0, max_iter=300).fit(features[held:], labels[held:])
    out.mkdir(parents=True, exist_ok=True)
    arrays = {"weights": model.coef_[0].astype(np.float16), "bias": model.intercept_.astype(np.float32)}
    save_file(arrays, out / "language.safetensors")
    write_other_words(out)
    accuracy = float(model.score(features[:held], labels[:held]))
    write_manifest(
        out,
        "language",
        ["language.safetensors", "other_words.json"],
        config={"seed": SEED, "per_language": PER_LANGUAGE, "others": OTHERS, "top": TOP, "own_ratio": OWN_RATIO},
        data={name: limit for name, limit in PAIRS.items()},
        metrics={"accuracy_fragments": round(accuracy, 4)},
        licences={**LICENCES, "wordfreq": "CC BY-SA 4.0"},
    )
    return accuracy


def main() -> None:
    """`python -m training.language [--corpora FOLDER] [--out FOLDER]`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpora", type=Path, required=True, help="folder of the public corpora")
    parser.add_argument("--out", type=Path, default=Path("models/artefacts/language"))
    args = parser.parse_args()
    print(f"accuracy on held-out fragments {train(args.corpora, args.out):.4f}")


if __name__ == "__main__":
    main()

"""Marked words from name corpora, and their labels on pieces."""

from __future__ import annotations

import gzip
import json
import lzma
import random
from pathlib import Path

import numpy as np

from models.name_kinds import KINDS, NameKind
from training.name_examples import (
    UNLABELLED,
    labels_of,
    read_names,
    read_spans,
    varied,
)

PERSON = 1 + 2 * KINDS.index(NameKind.PERSON)
FIRM = 1 + 2 * KINDS.index(NameKind.ORGANISATION)


def test_tagged_words_are_spaced_as_text_and_works_stay_unlabelled(tmp_path: Path) -> None:
    path = tmp_path / "a.conll.gz"
    rows = ["Jude B-PER", "Lowry I-PER", "of O", "Onyx B-CORP", "saw O", "Hamlet B-CW", ". O", ""]
    path.write_bytes(gzip.compress("\n".join(rows).encode()))
    (text,) = read_names(path, "en")
    assert text.text == "Jude Lowry of Onyx saw Hamlet."
    assert [k for *_, k in text.words] == [PERSON, PERSON + 1, 0, FIRM, 0, UNLABELLED, 0]


def test_a_name_inside_a_word_is_cut_out_of_it(tmp_path: Path) -> None:
    row = {"text": "Le devis d'Orbel arrive demain matin.", "spans": [[11, 16, "Organization"]]}
    path = tmp_path / "a.jsonl.xz"
    path.write_bytes(lzma.compress((json.dumps(row) + "\n").encode()))
    (text,) = read_spans(path, "fr")
    assert [(text.text[a:b], k) for a, b, k in text.words if k > 0] == [("Orbel", FIRM)]
    assert ("d'", 0) in [(text.text[a:b], k) for a, b, k in text.words]


def test_only_the_first_piece_of_a_name_begins_it(tmp_path: Path) -> None:
    path = tmp_path / "a.conll.gz"
    path.write_bytes(gzip.compress(b"Lowry B-PER\ncame O\n"))
    (text,) = read_names(path, "en")
    labels = labels_of(text, np.array([(0, 3), (3, 5), (6, 10)]))
    assert labels.tolist() == [PERSON, PERSON + 1, 0]


def test_variation_keeps_marks_on_their_words(tmp_path: Path) -> None:
    path = tmp_path / "a.conll.gz"
    path.write_bytes(gzip.compress(b"Vu O\nEtienne B-PER\nhier O\n"))
    texts = list(read_names(path, "fr")) * 3
    found = varied(texts, random.Random(1), {"no_accents": 0.5, "lower": 0.5, "upper": 0.5})
    assert [t.text[a:b].lower() for t in found for a, b, k in t.words if k == PERSON] == ["etienne"] * 3

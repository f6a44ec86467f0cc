"""Marked words from treebanks and name corpora, and their labels on pieces."""

from __future__ import annotations

import gzip
import json
import lzma
import random
from pathlib import Path

import numpy as np

from models.word_classes import CLASSES, KINDS, NameKind
from training.word_examples import (
    UNLABELLED,
    labels_of,
    read_names,
    read_spans,
    read_treebank,
    varied,
)

PERSON = 1 + 2 * KINDS.index(NameKind.PERSON)
FIRM = 1 + 2 * KINDS.index(NameKind.ORGANISATION)
TREEBANK = """# text = Il parle du prix.
1\tIl\til\tPRON\t_\t_\t2\tnsubj\t_\t_
2\tparle\tparler\tVERB\t_\t_\t0\troot\t_\t_
3-4\tdu\t_\t_\t_\t_\t_\t_\t_\t_
3\tde\tde\tADP\t_\t_\t5\tcase\t_\t_
4\tle\tle\tDET\t_\t_\t5\tdet\t_\t_
5\tprix\tprix\tNOUN\t_\t_\t2\tobl\t_\tSpaceAfter=No
6\t.\t.\tPUNCT\t_\t_\t2\tpunct\t_\t_
"""


def test_a_contraction_takes_the_class_of_its_first_word(tmp_path: Path) -> None:
    path = tmp_path / "a.conllu.xz"
    path.write_bytes(lzma.compress(TREEBANK.encode()))
    (text,) = read_treebank(path, "fr")
    assert text.text == "Il parle du prix."
    words = [(text.text[a:b], CLASSES[c], k) for a, b, c, k in text.words]
    assert words == [
        ("Il", "PRON", UNLABELLED),
        ("parle", "VERB", UNLABELLED),
        ("du", "ADP", UNLABELLED),
        ("prix", "NOUN", UNLABELLED),
        (".", "PUNCT", UNLABELLED),
    ]


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
    assert [(text.text[a:b], k) for a, b, _, k in text.words if k > 0] == [("Orbel", FIRM)]
    assert ("d'", 0) in [(text.text[a:b], k) for a, b, _, k in text.words]


def test_only_the_first_piece_of_a_name_begins_it(tmp_path: Path) -> None:
    path = tmp_path / "a.conll.gz"
    path.write_bytes(gzip.compress(b"Lowry B-PER\ncame O\n"))
    (text,) = read_names(path, "en")
    labels = labels_of(text, np.array([(0, 3), (3, 5), (6, 10)]))
    assert labels[:, 1].tolist() == [PERSON, PERSON + 1, 0]
    assert labels[:, 0].tolist() == [UNLABELLED] * 3


def test_variation_keeps_marks_on_their_words(tmp_path: Path) -> None:
    path = tmp_path / "a.conllu.xz"
    path.write_bytes(lzma.compress(TREEBANK.encode()))
    texts = list(read_treebank(path, "fr")) * 3
    found = varied(texts, random.Random(1), {"no_accents": 0.5, "lower": 0.5, "upper": 0.5})
    marked = [t.text[a:b].lower() for t in found for a, b, c, _ in t.words if c == CLASSES.index("NOUN")]
    assert marked == ["prix"] * 3

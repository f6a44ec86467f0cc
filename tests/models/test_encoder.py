"""The sentence encoder: what its vectors mean, how they are stored, and what a damaged artefact says."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from models.encoder import Encoder, from_bytes, load_encoder, to_bytes
from models.errors import ArtefactDamaged, ArtefactMissing

FOLDER = Path(__file__).parents[2] / "models" / "artefacts" / "encoder"


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder(FOLDER)


def test_rows_have_unit_length(encoder: Encoder) -> None:
    vectors = encoder.encode(["too expensive", "c'est trop cher pour nous"])
    assert vectors.shape == (2, encoder.n_dims)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_a_text_without_known_pieces_is_a_row_of_zeros(encoder: Encoder) -> None:
    assert not encoder.encode(["", "   ", "\U0001f4a9"]).any()


def test_no_texts_give_no_rows(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, encoder.n_dims)


def test_case_accents_and_apostrophes_make_no_difference(encoder: Encoder) -> None:
    written, typed = encoder.encode(["L’équipe a un problème de délai", "l'equipe a un probleme de delai"])
    assert written @ typed == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("The price is too high compared with the other quote.", "Le prix est trop élevé par rapport à l'autre devis."),
        ("Their data must stay in the European Union.", "Leurs données doivent rester dans l'Union européenne."),
        ("Nobody has time to train the team.", "Personne n'a le temps de former l'équipe."),
        ("The contract runs until June.", "Le contrat court jusqu'en juin."),
        ("Support never calls back.", "Le support ne rappelle jamais."),
    ],
)
def test_a_translation_is_nearer_than_other_sentences(encoder: Encoder, english: str, french: str) -> None:
    others = ["We had lunch near the station.", "Il fait beau aujourd'hui.", "The delivery arrived on Monday."]
    source, target, *rest = encoder.encode([french, english, *others])
    assert source @ target > 0.4
    assert source @ target > max(source @ other for other in rest) + 0.15


def test_batches_do_not_change_a_vector(encoder: Encoder) -> None:
    texts = [f"passage number {i} about prices" for i in range(1500)]
    assert np.allclose(encoder.encode(texts)[1200], encoder.encode([texts[1200]])[0], atol=1e-6)


def test_an_endless_line_is_read_in_bounded_time(encoder: Encoder) -> None:
    assert np.linalg.norm(encoder.encode(["price" * 200_000, "prix trop haut " * 66_000]), axis=1) == pytest.approx(1)


def test_stored_vectors_come_back(encoder: Encoder) -> None:
    vectors = encoder.encode(["budget frozen", "budget gelé"])
    stored = to_bytes(vectors)
    assert [len(one) for one in stored] == [2 * encoder.n_dims] * 2
    assert np.abs(from_bytes(stored) - vectors).max() < 1e-3
    assert from_bytes([]).shape == (0, 0)


def test_stored_vectors_are_little_endian_half_floats() -> None:
    assert to_bytes(np.array([[1.0, -2.0]], dtype=np.float32)) == [b"\x00\x3c\x00\xc0"]


def test_a_missing_artefact_names_the_make_target(tmp_path: Path) -> None:
    with pytest.raises(ArtefactMissing, match="make train"):
        load_encoder(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "encoder"))
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ArtefactMissing, match=r"tokenizer\.json"):
        load_encoder(folder)


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "encoder"))
    with (folder / "vectors.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    with pytest.raises(ArtefactDamaged, match=r"vectors\.safetensors"):
        load_encoder(folder)


def test_an_unreadable_manifest_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "encoder"))
    (folder / "manifest.json").write_text('{"name": "encoder"}', encoding="utf-8")
    with pytest.raises(ArtefactDamaged, match="manifest"):
        load_encoder(folder)


def test_a_word_that_is_only_spelled_is_not_known(encoder: Encoder) -> None:
    known = ("price", "hébergement", "rabais", "hotline", "certifié", "erp", "daf", "cfo", "solidité", "ressaisir")
    spelled = ("zzzz", "qqxx", "asdfgh", "qwertyuiop", "blorf", "zxcvbnm", "sdfsdf", "1234", "", "字")
    assert [word for word in known if not encoder.knows(word)] == []
    assert [word for word in spelled if encoder.knows(word)] == []

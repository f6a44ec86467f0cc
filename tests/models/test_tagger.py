"""The tagger: how it sees a text, cuts it, and what it answers, with exact offsets into the text as given."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ArtefactDamaged, ArtefactMissing
from models.tagger import (
    CONTEXT,
    WINDOW,
    Tagger,
    cut_windows,
    load_tagger,
    visible,
    word_shapes,
)
from models.types import ObjectionStatus, ObjectionType, Relation, Standing

FOLDER = Path(__file__).parents[2] / "models" / "artefacts" / "tagger"


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return load_tagger(FOLDER)


def test_markup_is_not_seen_and_offsets_lead_back() -> None:
    text = "<p>Trop cher&nbsp;: l&#39;offre &amp; le reste</p>"
    plain, at = visible(text)
    assert plain == "\nTrop cher\xa0: l'offre & le reste\n"
    assert text[at[plain.index("Trop")] : at[plain.index("cher")]] == "Trop "
    assert text[at[plain.index("reste")] :].startswith("reste")
    assert at[-1] == len(text)


def test_signs_that_only_look_like_markup_stay() -> None:
    assert visible("delay < 3 weeks & price > 10k")[0] == "delay < 3 weeks & price > 10k"


@given(st.text(alphabet="ab <>&;p/é\n", max_size=60))
def test_visible_offsets_never_go_back(text: str) -> None:
    plain, at = visible(text)
    assert len(at) == len(plain) + 1
    assert (np.diff(at) >= 0).all()


def test_shapes_tell_how_a_word_is_written() -> None:
    text = "the Zendesk SAP hubSpot x 20k"
    offsets = np.array([(0, 3), (4, 7), (7, 11), (12, 15), (16, 19), (19, 23), (24, 25), (26, 29)])
    assert word_shapes(text, offsets).tolist() == [0, 1, 1, 2, 3, 3, 0, 0]


@pytest.mark.parametrize("n", [0, 1, WINDOW, WINDOW + 1, 700, 5000])
def test_windows_keep_each_piece_once_and_fit(n: int) -> None:
    text = "ab " * n
    offsets = np.array([(3 * i, 3 * i + 2) for i in range(n)], dtype=np.int64).reshape(-1, 2)
    windows = list(cut_windows(text, offsets))
    assert [i for w in windows for i in range(w.core_first, w.core_last)] == list(range(n))
    assert all(w.last - w.first <= WINDOW for w in windows)
    assert all(w.first == max(0, w.core_first - CONTEXT) for w in windows)


def test_windows_are_cut_at_line_ends() -> None:
    words = ["ab"] * 400
    words[150] = "cd\n"
    text = " ".join(words)
    offsets, at = [], 0
    for word in words:
        offsets.append((at, at + 2))
        at += len(word) + 1
    first = next(iter(cut_windows(text, np.array(offsets))))
    assert first.core_last == 151


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("She says we are 20% more expensive than the other quote.", ObjectionType.PRICE),
        ("Chez l'autre, c'est 18 % de moins, et il nous a montré le devis.", ObjectionType.PRICE),
        ("The budget is frozen until next year, no money left.", ObjectionType.BUDGET),
        ("Le budget est gelé jusqu'en 2027.", ObjectionType.BUDGET),
        ("There is no connector to their SAP, so it does not fit their systems.", ObjectionType.INTEGRATION),
        ("Leur DPO refuse que les données sortent de l'Union européenne.", ObjectionType.SECURITY_COMPLIANCE),
    ],
)
def test_plain_objections_are_read(tagger: Tagger, text: str, kind: ObjectionType) -> None:
    assert kind in {o.type for o in tagger.tag([text])[0].objections}


@pytest.mark.parametrize("text", ["", " ", "\n\n", "ok", "\U0001f600\U0001f600", "مرحبا بالعالم", "Objections: none"])
def test_texts_without_an_objection_give_none(tagger: Tagger, text: str) -> None:
    assert tagger.tag([text])[0].objections == ()


def test_offsets_are_into_the_text_as_given(tagger: Tagger) -> None:
    text = "<p>R&eacute;union chez Biget.</p><p>Leur budget est gel&eacute; jusqu'en 2027, plus un euro.</p>"
    (found,) = tagger.tag([text])[0].objections
    assert text[found.start : found.end].startswith("Leur budget est gel&eacute;")
    assert text[found.start : found.end].rstrip(".").endswith("plus un euro")


def test_a_score_is_a_probability(tagger: Tagger) -> None:
    texts = ["She says we are 20% more expensive than the other quote.", "Le budget est gelé jusqu'en 2027."]
    scores = [o.score for t in tagger.tag(texts) for o in t.objections]
    assert scores
    assert all(0 < s < 1 for s in scores)


def test_neighbours_in_a_batch_do_not_matter(tagger: Tagger) -> None:
    text = "They already use Zendesk and the price is too high."
    (alone,) = tagger.read([text])
    _, among, _ = tagger.read(["x " * 300, text, "Prix trop élevé."])
    assert np.array_equal(alone.logits, among.logits)


def test_relation_and_standing_can_be_asked_anywhere(tagger: Tagger) -> None:
    text = "They signed with us and dropped Kestrelo: it kept crashing and nobody answered."
    at = text.index("Kestrelo")
    tagged = tagger.tag([text])[0]
    assert tagged.relation(at, at + 8) is Relation.WON_AGAINST
    assert tagged.standing(at, at + 8) is Standing.BEHIND
    assert 0 <= tagged.name_chance(at, at + 8) <= 1
    assert tagged.type_chances(at, at + 8).sum() == pytest.approx(1, abs=1e-5)


def test_an_empty_stretch_has_neutral_answers(tagger: Tagger) -> None:
    tagged = tagger.tag([""])[0]
    assert tagged.relation(0, 0) is Relation.MENTIONED
    assert tagged.standing(0, 0) is Standing.NEUTRAL
    assert tagged.name_chance(0, 0) == 0


def test_status_is_read(tagger: Tagger) -> None:
    text = "The security questionnaire worried her at first, then our ISO certificate settled it and she signed off."
    assert ObjectionStatus.RESOLVED in {o.status for o in tagger.tag([text])[0].objections}


def test_an_endless_line_is_read_in_bounded_time(tagger: Tagger) -> None:
    start = time.process_time()
    tagger.tag(["trop cher " * 100_000, "x" * 1_000_000])
    assert time.process_time() - start < 60


def test_a_missing_artefact_names_the_make_target(tmp_path: Path) -> None:
    with pytest.raises(ArtefactMissing, match="make train"):
        load_tagger(tmp_path)


def test_changed_settings_are_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "tagger"))
    (folder / "settings.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ArtefactDamaged, match=r"settings\.json"):
        load_tagger(folder)

"""What the head over listed names is given, and what it decides in whole notes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.analyzer import load_analyzer
from models.listed_names import N_FEATURES, VOICE, ListedName, listed_features
from models.notes import read_note
from models.tagger import Tagger, load_tagger
from models.types import Analyzer, Catalog, Competitor, NoteText

ARTEFACTS = Path(__file__).parents[2] / "models" / "artefacts"
CATALOG = Catalog(("Ours",), (Competitor("Plumbline", ()),))


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return load_analyzer()


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return load_tagger(ARTEFACTS / "tagger", ARTEFACTS / "names")


def described(tagger: Tagger, text: str, chance: float = 0.5, least: float = 1e-3) -> np.ndarray:
    (tagged,) = tagger.tag([text])
    start = text.index("Plumbline")
    name = ListedName(read_note(text), tagged, start, start + len("Plumbline"), chance, least)
    return listed_features([name])[0]


def test_no_names_have_no_features() -> None:
    assert listed_features([]).shape == (0, N_FEATURES)


def test_a_voice_counts_by_its_log_odds_and_never_without_end(tagger: Tagger) -> None:
    text = "They use Plumbline today."
    (tagged,) = tagger.tag([text])
    heard = tagged.name_chance(9, 18)
    features = described(tagger, text, 0.5)
    assert features.shape == (N_FEATURES,)
    assert features[0] == 0.0
    assert features[1] == pytest.approx(VOICE * np.log(heard / (1 - heard)), rel=1e-3)
    assert described(tagger, text, 1.0)[0] == pytest.approx(VOICE * np.log(999), rel=1e-4)
    assert described(tagger, text, 0.0, least=0.1)[0] == pytest.approx(-VOICE * np.log(9), rel=1e-4)


def test_the_same_name_is_described_by_its_own_sentence(tagger: Tagger) -> None:
    used = described(tagger, "They use Plumbline today. Nice weather.")
    linked = described(tagger, "Plumbline stays for the drawings, we read its files. Nice weather.")
    assert not np.allclose(used[7:], linked[7:], atol=0.5)


@pytest.mark.parametrize(
    "text",
    [
        "They compare our offer with Plumbline and lean to the cheaper one.",
        "Ils utilisent Plumbline depuis trois ans et s'en plaignent tous les jours.",
        "Lost to Plumbline on price.",
    ],
)
def test_a_rival_is_found(analyzer: Analyzer, text: str) -> None:
    (note,) = analyzer.analyze([NoteText(text)], CATALOG)
    assert [m.name for m in note.competitors] == ["Plumbline"]


@pytest.mark.parametrize(
    "text",
    [
        "The accountants stay on Plumbline for payroll, our system only has to send it a file every night.",
        "La paie reste sur Plumbline, notre logiciel lui envoie seulement un fichier chaque nuit.",
    ],
)
def test_a_system_that_ours_only_feeds_is_none(analyzer: Analyzer, text: str) -> None:
    (note,) = analyzer.analyze([NoteText(text)], CATALOG)
    assert note.competitors == ()


def test_a_name_is_one_thing_all_through_a_note(analyzer: Analyzer) -> None:
    text = "Plumbline is in use there.\nThey like Plumbline.\nPlumbline's contract ends in May."
    (note,) = analyzer.analyze([NoteText(text)], CATALOG)
    assert len(note.competitors) == text.count("Plumbline")
    assert len({m.score for m in note.competitors}) == 1

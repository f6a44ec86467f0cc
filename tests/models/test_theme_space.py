"""The space of themes: what it makes of the two readings of a passage."""

from __future__ import annotations

import numpy as np
import pytest

from models.theme_space import ThemeEncoder, ThemeSpace, load_theme_encoder
from models.theme_subjects import Subjects
from models.themes import ARTEFACTS
from models.types import THEME_DIMS, Language

DEAR_EN = "They find our licence too expensive next to what they pay today."
DEAR_FR = "Ils trouvent notre licence trop chère à côté de ce qu'ils paient aujourd'hui."
LATE_EN = "The last two deliveries came three weeks after the promised day."


@pytest.fixture(scope="module")
def encoder() -> ThemeEncoder:
    return load_theme_encoder(ARTEFACTS)


def test_a_matter_is_nearer_to_itself_in_another_language_than_to_another_matter(encoder: ThemeEncoder) -> None:
    english, french, other = encoder.encode([DEAR_EN, DEAR_FR, LATE_EN])
    assert english @ french > english @ other + 0.2


def test_vectors_are_of_unit_length_and_do_not_depend_on_their_neighbours(encoder: ThemeEncoder) -> None:
    together = encoder.encode([DEAR_EN, DEAR_FR, LATE_EN] * 20)
    assert together.shape == (60, THEME_DIMS)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert (encoder.encode([LATE_EN])[0].astype("<f2") == together[2].astype("<f2")).all()


def test_what_says_nothing_lies_nowhere(encoder: ThemeEncoder) -> None:
    assert not encoder.encode(["🙂", ""]).any()
    assert encoder.encode([]).shape == (0, THEME_DIMS)


def test_a_language_that_is_not_known_is_taken_from_the_middle_of_both() -> None:
    centre = np.ones(4, dtype=np.float32)
    centres = {Language.EN: 0 * centre, Language.FR: 2 * centre, Language.UNKNOWN: centre}
    none = Subjects((), {}, np.zeros((1, 5), dtype=np.float32))
    space = ThemeSpace(centres, np.eye(4, dtype=np.float32), (centre, 0.0), none, "made")
    meanings, tagged = np.array([[3.0, 1.0]], dtype=np.float32), np.array([[1.0, 0.0]], dtype=np.float32)
    (placed,) = space.place(meanings, tagged, [Language.UNKNOWN])
    assert np.allclose(placed, np.array([2, 0, 0, -1]) / 5**0.5)

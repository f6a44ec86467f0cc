"""What the space of themes learns."""

from __future__ import annotations

import numpy as np

from training.theme_space import EVENNESS, inner_scatter, learn_projection


def test_what_varies_inside_themes_is_made_short_and_what_tells_them_apart_is_kept() -> None:
    rng = np.random.default_rng(3)
    themes = {
        name: [(np.array([mean, 0, 0]) + rng.normal(0, [0.1, 1.0, 0.1])).astype(np.float32) for _ in range(200)]
        for name, mean in (("dear", 1.0), ("late", -1.0))
    }
    scatter = inner_scatter(themes)
    assert np.allclose(np.diag(scatter), [0.01, 1.0, 0.01], rtol=0.3, atol=0.002)
    projection = learn_projection(np.vstack([np.stack(rows) for rows in themes.values()]), scatter, 2)
    assert projection.shape == (3, 2)
    telling, noisy = np.linalg.norm(projection[0]), np.linalg.norm(projection[1])
    evenness = EVENNESS * scatter.trace() / 3
    assert np.isclose(telling / noisy, ((scatter[1, 1] + evenness) / (scatter[0, 0] + evenness)) ** 0.5, rtol=0.1)
    assert telling > 1.3 * noisy


def test_a_theme_of_one_passage_says_nothing_of_what_varies() -> None:
    pair = [np.array([1.0, 0.0], dtype=np.float32), np.array([-1.0, 0.0], dtype=np.float32)]
    alone = {"alone": [np.array([9.0, 9.0], dtype=np.float32)]}
    assert np.allclose(inner_scatter({"pair": pair}), inner_scatter({"pair": pair, **alone}))

"""Nearest passages by their signs: nearly all that full vectors would find, and only where it is looked for."""

from __future__ import annotations

import numpy as np

from models.encoder import from_bytes, to_bytes
from models.nearest import PassageCodes

N_DIMS, N_NOTES = 384, 2_000


def passages(seed: int) -> list[tuple[int, int, bytes]]:
    """Return two passages a note: id, note's id, a unit vector."""
    rows = np.random.default_rng(seed).normal(size=(2 * N_NOTES, N_DIMS)).astype(np.float32)
    vectors = to_bytes(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    return [(1 + n, 1 + n // 2, vector) for n, vector in enumerate(vectors)]


def test_candidates_hold_nearly_all_that_is_nearest() -> None:
    held = passages(1)
    codes = PassageCodes(2 * N_DIMS)
    codes.add(held[:3_000])
    codes.add(held[3_000:])
    vectors = from_bytes([vector for _, _, vector in held])
    shares = []
    for _, _, asked in passages(2)[:20]:
        best = set(1 + np.argsort(-(vectors @ from_bytes([asked])[0]))[:20])
        found = codes.nearest(asked, 200)
        assert len(found) == len(set(found)) == 200
        shares.append(len(best & set(found)) / 20)
    assert np.mean(shares) > 0.8  # 0.84; by the count of signs alone 0.58


def test_only_passages_of_the_notes_asked_for_are_found() -> None:
    held = passages(1)
    codes = PassageCodes(2 * N_DIMS)
    codes.add(held)
    asked = held[0][2]
    among = list(range(1, N_NOTES, 2))
    assert {1 + (i - 1) // 2 for i in codes.nearest(asked, 50, among)} <= set(among)
    assert sorted(codes.nearest(asked, 50, [7])) == [13, 14]
    codes.keep([1, 2, 9])
    assert (sorted(codes.nearest(asked, 50)), codes.last) == ([1, 2, 9], 9)
    assert codes.nearest(asked, 1) == [1]
    assert PassageCodes(2 * N_DIMS).nearest(asked, 50) == []

"""Each parser takes its seeds, the samples that once broke it, and damaged ones, without breaking."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

SAMPLES = Path(__file__).parent / "samples"
FEW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_samples(name: str) -> None:
    target = TARGETS[name]
    for content in [b"", *target.seeds, *(path.read_bytes() for path in sorted((SAMPLES / name).glob("*")))]:
        target.run(content)


@pytest.mark.parametrize("name", TARGETS)
@FEW
@given(data=st.data())
def test_damaged_seeds(name: str, data: st.DataObject) -> None:
    target = TARGETS[name]
    content = bytearray(data.draw(st.sampled_from(target.seeds or (b"x",))))
    for place, piece in data.draw(st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=6)), max_size=4)):
        content[place % (len(content) + 1) : place % (len(content) + 1) + len(piece)] = piece
    target.run(bytes(content))


def test_every_sample_is_of_a_parser() -> None:
    assert {path.name for path in SAMPLES.glob("*")} <= set(TARGETS)

"""Each parser takes its seeds, the samples that once broke it, and damaged ones, without breaking."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.imports.formats import READERS
from service.imports.records import Format, Options
from service.notes.schemas import IncomingNote
from service.sources.contract import Connection
from service.sources.registry import SOURCES
from tests.fuzz.targets import OPTIONS, SIGNED, TARGETS, delivery_of

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


@pytest.mark.parametrize("form", [form for form in READERS if form is not Format.PDF])
def test_the_first_seed_of_each_kind_of_file_is_read(form: Format) -> None:
    """A fuzzer that starts from what is refused at the door sees little of a parser."""
    read = READERS[form](io.BytesIO(TARGETS[f"file-{form.value}"].seeds[0]), Options(format=form))
    assert any(isinstance(record.note, IncomingNote) for record in read.records)


@pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if not source.polled])
def test_the_first_seed_of_each_source_is_read(name: str) -> None:
    delivery = delivery_of(name, TARGETS[f"source-{name}"].seeds[0])
    assert SOURCES[name].parse(delivery, Connection(name, "main", (SIGNED,), OPTIONS)).events


def test_every_sample_is_of_a_parser() -> None:
    assert {path.name for path in SAMPLES.glob("*")} <= set(TARGETS)

"""Spans of a spaCy document at exact offsets, and the attributes that findings carry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from spacy.tokens import Doc, Span

for _name, _default in (("status", ""), ("standing", ""), ("score", None), ("known", False)):
    Span.set_extension(_name, default=_default, force=True)


def char_span(doc: Doc, start: int, end: int, label: str = "") -> Span:
    """Return the span between two offsets; where an endless word was cut in two, the span takes all of it.

    Raises:
        ValueError: If they lie outside the document.
    """
    span = doc.char_span(start, end, label=label, alignment_mode="expand")
    if span is None:
        raise ValueError(f"no tokens lie between {start} and {end}")
    return span


def batches(stream: Iterable[Doc], size: int) -> Iterator[list[Doc]]:
    """Yield the documents of a stream in lists of at most `size`."""
    waiting = iter(stream)
    while docs := list(islice(waiting, size)):
        yield docs

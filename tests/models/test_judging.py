"""How two voices are pooled into findings: floors, thresholds, and clauses that no mark parts."""

from __future__ import annotations

import numpy as np

from models.analyzer import ARTEFACTS
from models.blend import LEAST, agreed, pool
from models.catalog import CatalogMatcher
from models.competitors import catalogue_names
from models.lexicon import load_lexicon
from models.linear import LinearModel
from models.mentions import LEAST_NAME, Name, least_chance
from models.notes import read_note
from models.objections import Clause, ObjectionReader
from models.raised import LONG_CLAUSE, parted
from models.tagger import Pieces, Settings, Tagged
from models.types import Catalog, Competitor

LABELS = ("none", "price", "timing")


def model() -> LinearModel:
    return LinearModel(LABELS, np.zeros((4, 3), np.float32), np.zeros(3, np.float32))


def test_one_voice_alone_does_not_rule_out_what_is_written_as_a_name() -> None:
    linear = np.array([[0.03, 0.97], [0.03, 0.97]], dtype=np.float32)
    tagged = np.array([[1.0, 0.0], [1.0, 0.0]], dtype=np.float32)
    chances = pool(linear, tagged, 0.5, least=np.array([[LEAST_NAME], [LEAST]]))[:, 1]
    assert chances[0] > 0.45
    assert chances[1] < 0.01


def test_the_places_of_one_name_in_one_note_are_judged_together() -> None:
    chances = np.array([0.9, 0.2, 0.5, 0.2], dtype=np.float32)
    found = agreed(chances, [(0, "pearl"), (0, "pearl"), (0, "curve"), (1, "pearl")])
    assert np.allclose(found, [0.6, 0.6, 0.5, 0.2])


def leasts(text: str) -> list[float]:
    catalog = Catalog(("Us",), (Competitor("Notion", ()), Competitor("Orbiport", ())))
    note, matcher = read_note(text), CatalogMatcher(catalog, load_lexicon(ARTEFACTS / "lexicon"))
    return [least_chance(note, Name(m.first, m.last, m)) for m in catalogue_names(note, matcher)]


def test_ordinary_words_must_be_written_as_names() -> None:
    assert leasts("They like Notion here. He uses Orbiport too.") == [LEAST_NAME, LEAST_NAME]
    assert leasts("He has no notion of it. Notion of what?") == [LEAST, LEAST]
    assert leasts("they use orbiport at all sites since may") == [LEAST_NAME]
    assert leasts("NO NOTION OF THE COST AT ALL") == [LEAST]


def test_an_objection_needs_a_reason_and_one_that_stands_out() -> None:
    reader = ObjectionReader(model(), model(), threshold=0.3, type_threshold=0.25)
    chances = np.array([[0.5, 0.4, 0.1], [0.6, 0.2, 0.2], [0.8, 0.19, 0.01], [0.0, 1.0, 0.0]], dtype=np.float32)
    assert reader.raised(chances).tolist() == [0, 3]


def tagged_text(text: str, reasons: list[tuple[int, int]]) -> Tagged:
    """A reading that is sure of a reason between some offsets; a piece a word."""
    ends = [i for i, c in enumerate(text) if c == " "] + [len(text)]
    starts = [0, *(e + 1 for e in ends[:-1])]
    logits = np.zeros((len(starts), 29), dtype=np.float32)
    logits[:, 0] = 8.0
    for i, start in enumerate(starts):
        if any(a <= start < b for a, b in reasons):
            logits[i, :2] = (0.0, 8.0)
    return Tagged(text, Pieces(np.array(list(zip(starts, ends, strict=True))), logits), Settings(begin=0.9))


def test_a_long_clause_is_parted_where_a_reason_begins_and_ends() -> None:
    before, reason, after = (
        "they walked us round the plant and the canteen " * 4,
        "it is far too dear for them ",
        "we " * 20,
    )
    text = (before + reason + after).strip()
    reading = tagged_text(text, [(len(before), len(before) + len(reason))])
    parts = list(parted([Clause(0, len(text), 0, 0)], reading))
    assert [text[p.start : p.end].strip() for p in parts] == [before.strip(), reason.strip(), after.strip()]
    assert (parts[0].start, parts[-1].end) == (0, len(text))


def test_a_clause_of_common_length_stays_whole() -> None:
    text = "they walked us round and it is far too dear for them"
    assert len(text) <= LONG_CLAUSE
    clause = Clause(0, len(text), 0, 0)
    assert list(parted([clause], tagged_text(text, [(25, len(text))]))) == [clause]

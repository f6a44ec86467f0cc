"""Whatever was corrected, undoing it all leaves what was found."""

from __future__ import annotations

import random
from typing import Any

import sqlalchemy as sa
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.tables import CorrectedNoteTable
from tests.analyzers import FakeAnalyzer
from tests.service.correcting import TEXT, analysis, read_again

SPANS = [(0, 12), (22, 35), (46, 48), (56, 71), (73, 78)]
CHANGES = st.one_of(
    st.fixed_dictionaries({"kind": st.just("not_an_objection")}),
    st.fixed_dictionaries({"kind": st.just("wrong_type"), "type": st.sampled_from(["budget", "value", "price"])}),
    st.fixed_dictionaries({"kind": st.just("wrong_status"), "status": st.sampled_from(["resolved", "open"])}),
    st.sampled_from(SPANS).map(lambda s: {"kind": "wrong_span", "start": s[0], "end": s[1]}),
    st.sampled_from(SPANS).map(
        lambda s: {"kind": "missed_objection", "note_id": "1", "start": s[0], "end": s[1], "type": "timing"}
    ),
    st.fixed_dictionaries({"kind": st.just("not_a_competitor")}),
    st.fixed_dictionaries({"kind": st.just("wrong_relation"), "relation": st.sampled_from(["incumbent", "lost_to"])}),
    st.fixed_dictionaries({"kind": st.just("wrong_standing"), "standing": st.just("ahead")}),
    st.fixed_dictionaries({"kind": st.just("wrong_name"), "name": st.sampled_from(["Freshdesk", "zd"])}),
    st.sampled_from(SPANS).map(lambda s: {"kind": "missed_competitor", "note_id": "1", "start": s[0], "end": s[1]}),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(changes=st.lists(st.tuples(CHANGES, st.booleans()), max_size=6), seed=st.integers(0, 99))
def test_undoing_all_corrections_leaves_what_was_found(
    reviewed: TestClient, engine: sa.Engine, changes: list[tuple[dict[str, Any], bool]], seed: int
) -> None:
    """Whatever was corrected, in whatever order it is undone, read again in between or not."""
    for correction in _listed(reviewed):  # of an example that failed
        reviewed.delete(f"/v1/corrections/{correction['id']}")
    before = analysis(reviewed)
    for change, again in changes:
        _apply(reviewed, change)
        if again:
            read_again(reviewed, engine, FakeAnalyzer(), TEXT)
            assert [c["state"] for c in _listed(reviewed)].count("set_aside") == 0
    listed = _listed(reviewed)
    random.Random(seed).shuffle(listed)
    for correction in listed:
        assert reviewed.delete(f"/v1/corrections/{correction['id']}").status_code == 204
    after = analysis(reviewed)
    for kind in ("objections", "competitors"):
        assert [_without_id(f) for f in after[kind]] == [_without_id(f) for f in before[kind]]
    if not any(again for _, again in changes):
        assert after == before
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(CorrectedNoteTable)) == 0


def _apply(client: TestClient, change: dict[str, Any]) -> None:
    """Make a change to the first finding that there is; it may be refused, never fail."""
    body = dict(change)
    if "note_id" not in body:
        kind = (
            "competitors"
            if body["kind"] in {"not_a_competitor", "wrong_relation", "wrong_standing", "wrong_name"}
            else "objections"
        )
        found = analysis(client)[kind]
        if not found:
            return
        body["finding_id"] = found[0]["id"]
    answer = client.post("/v1/corrections", json=body)
    assert answer.status_code in {200, 201, 409, 422}, answer.text
    if answer.status_code < 300:
        assert client.post("/v1/corrections", json=body).json() == answer.json()


def _listed(client: TestClient) -> list[dict[str, Any]]:
    return client.get("/v1/corrections").json()["items"]


def _without_id(finding: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in finding.items() if name != "id"}

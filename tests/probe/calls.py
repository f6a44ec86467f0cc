"""Calls made by machine from the OpenAPI document, right ones and wrong ones, and what is wrong in their answers."""

from __future__ import annotations

import logging
import random
import re
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import requests
import schemathesis
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Things that the sample workspace has, so that calls reach more than "not found".
KNOWN: dict[str, list[Any]] = {
    "note_id": [1, 2, 3, 250],
    "import_id": [1],
    "theme_id": ["theme-1", "theme-2"],
    "type_id": ["price", "timing"],
    "name": ["orbiport", "VRL"],
    "month": ["2026-09", "2026-08"],
    "file_format": ["json", "html", "xlsx"],
    "source": ["hubspot", "salesforce", "generic", "slack", "email"],
    "connection_id": [1, 2],
    "connection": ["hubspot:main", "generic:main"],
    "endpoint_id": [1, 2],
    "subscription_id": [1, 2],
    "correction_id": [1, 2],
    "delivery_id": [1, 2],
    "fault_id": [1, 2],
    "change_id": [1, 2],
    "job_id": [1, 2],
}
KEPT = ("/v1/keys/{key_id}", "1")  # the key that the probe itself uses

_UNCLEAR = re.compile(r"Input should|String should|should have at|Value error|pattern|\[\^")

_log = logging.getLogger(__name__)


@dataclass
class Outcome:
    """How calls were answered: by operation and status, and what was wrong, by operation and kind."""

    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    faults: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    samples: dict[str, str] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        """How many calls were made."""
        return sum(sum(counter.values()) for counter in self.statuses.values())

    def fault(self, operation: str, kind: str, sample: str) -> None:
        """Keep a fault, with one sample of each kind, told at once."""
        self.faults[operation][kind] += 1
        if self.faults[operation][kind] == 1:
            self.samples[f"{operation}: {kind}"] = sample[:3000]
            _log.warning("--- %s: %s\n%s\n", operation, kind, sample[:3000])

    def as_dict(self) -> dict[str, Any]:
        """The outcome as it is written down."""
        totals: Counter[int] = sum(self.statuses.values(), Counter())
        return {
            "calls": self.calls,
            "operations": len(self.statuses),
            "statuses": {str(status): totals[status] for status in sorted(totals)},
            "faults": {name: dict(kinds) for name, kinds in sorted(self.faults.items())},
            "by_operation": {
                name: {str(status): counter[status] for status in sorted(counter)}
                for name, counter in sorted(self.statuses.items())
            },
        }


def joined(before: dict[str, Any], again: dict[str, Any]) -> dict[str, Any]:
    """Return an outcome, as it is written down, in which operations that were called again have their latest."""
    operations = before["by_operation"] | again["by_operation"]
    faults = {name: kinds for name, kinds in before["faults"].items() if name not in again["by_operation"]}
    totals: Counter[str] = sum((Counter(statuses) for statuses in operations.values()), Counter())
    return {
        "calls": totals.total(),
        "operations": len(operations),
        "statuses": dict(sorted(totals.items())),
        "faults": dict(sorted((faults | again["faults"]).items())),
        "by_operation": dict(sorted(operations.items())),
    }


def probe(
    document: dict[str, Any], urls: Mapping[str, str], key: str, *, each: int, seed: int, only: str = ""
) -> dict[str, Outcome]:
    """Call every operation of the document on each service: the same calls, since making them takes longest.

    Args:
        document: The OpenAPI document.
        urls: Where services answer, by name.
        key: One with every scope.
        each: Calls of each operation with right values, and as many with wrong ones.
        seed: Of the values.
        only: Part of the operations' names, to call these alone.

    Returns:
        The outcome of each service, by its name.
    """
    outcomes = {name: Outcome() for name in urls}
    schema = schemathesis.openapi.from_dict(document)
    schema.config.generation.update(with_security_parameters=False)  # else most calls end at the door
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {key}"
    operations = [found.ok() for found in schema.get_all_operations() if only in found.ok().label]
    # What exports everything comes first: each call adds to the audit log.
    operations.sort(key=lambda operation: "export" not in operation.path)
    for operation in operations:
        began = time.monotonic()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            chance = random.Random(f"{seed} {operation.label} {mode}")
            for case in _cases(operation, mode, each, seed):
                _lead_to_known(case, chance)
                for name, url in urls.items():
                    _call(case, url, session, outcomes[name])
        for name, url in urls.items():
            _without_key(operation, url, outcomes[name])
        calls = sum(outcome.statuses[operation.label].total() for outcome in outcomes.values())
        _log.info("%s: %d calls in %.1f s", operation.label, calls, time.monotonic() - began)
    return outcomes


def _cases(operation: Any, mode: GenerationMode, count: int, seed: int) -> Iterator[Any]:
    """Give cases of an operation; none where nothing can be wrong in it."""
    made: list[Any] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(operation.as_strategy(generation_mode=mode))
    def collect(case: Any) -> None:
        made.append(case)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            collect()
    except hypothesis.errors.Unsatisfiable:
        pass
    except Exception as error:
        if "negative" not in str(error).lower():
            raise
    yield from made


def _lead_to_known(case: Any, chance: random.Random) -> None:
    for name in list(case.path_parameters or {}):
        if name in KNOWN and chance.random() < 0.6:
            case.path_parameters[name] = chance.choice(KNOWN[name])


def _call(case: Any, url: str, session: requests.Session, outcome: Outcome) -> None:
    label = case.operation.label
    if case.operation.path == KEPT[0] and str(case.path_parameters["key_id"]) == KEPT[1]:
        return
    try:
        response = case.call(base_url=url, session=session, timeout=60)
    except requests.exceptions.InvalidHeader:  # what HTTP itself can't carry
        return
    except requests.RequestException as error:
        outcome.fault(label, f"no answer ({type(error).__name__})", str(error))
        return
    outcome.statuses[label][response.status_code] += 1
    _tell_unclear(label, response, outcome)
    try:
        ready = case.operation.path == "/readyz"  # 503 there is an answer, not a fault
        case.validate_response(response, checks=CHECKS[ready:])
    except FailureGroup as group:
        for failure in group.exceptions:
            outcome.fault(label, _kind(failure), f"{response.status_code} {failure}\n{case.as_curl_command()}")
    except Failure as failure:
        outcome.fault(label, _kind(failure), f"{response.status_code} {failure}\n{case.as_curl_command()}")


def _tell_unclear(label: str, response: requests.Response, outcome: Outcome) -> None:
    """A refusal names its fields, and no message is the validator's own."""
    if response.headers.get("Content-Type") == "application/problem+json":
        for fault in response.json()["errors"]:
            if not fault["field"] or not fault["message"] or _UNCLEAR.search(fault["message"]):
                outcome.fault(label, "unclear refusal", f"{response.url}\n{fault}")


def _kind(failure: BaseException) -> str:
    return str(getattr(failure, "title", type(failure).__name__))


def _without_key(operation: Any, url: str, outcome: Outcome) -> None:
    """An operation that asks for a key answers 401 without one, and with a wrong one."""
    if not operation.definition.raw.get("security"):
        return
    for headers in ({}, {"Authorization": "Bearer nobody-has-this-key"}, {"Authorization": "Basic YTpi"}):
        path = operation.path
        for name, values in {**KNOWN, "key_id": [2]}.items():
            path = path.replace(f"{{{name}}}", str(values[0]))
        response = requests.request(operation.method, url + path, headers=headers, timeout=60)
        outcome.statuses[operation.label][response.status_code] += 1
        if response.status_code != 401:
            outcome.fault(operation.label, "answered without a key", f"{headers} {response.status_code}")

"""How many points each part of a score can give."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

from sqlalchemy.orm import Session

OPTION = "ranking_weights"
"""The execution option of an engine that holds the weights of this installation."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Points that each part can give; raising one favours what that part measures. Each in [0, 100], 100 together."""

    reach: float = 35
    growth: float = 25
    money: float = 12
    winning: float = 8
    severity: float = 10
    novelty: float = 10

    @property
    def in_hundred(self) -> Weights:
        """The same proportions with 100 points together."""
        total = sum(astuple(self))
        return Weights(*(100 * points / total for points in astuple(self)))


DEFAULT_WEIGHTS = Weights()


def read_weights(text: str) -> Weights:
    """Read weights such as `reach=40, growth=30`; parts that are not named keep their points, and 100 remain together.

    Raises:
        ValueError: If a part is unknown or named twice, a weight is no number of 0 to 100, or all are 0.
    """
    parts = [field.name for field in fields(Weights)]
    given: dict[str, float] = {}
    for entry in filter(None, (entry.strip() for entry in text.split(","))):
        name, _, value = (part.strip() for part in entry.partition("="))
        if name not in parts or name in given:
            raise ValueError(f"not a part, or named twice: {name}")
        given[name] = float(value)
        if not 0 <= given[name] <= 100:
            raise ValueError(f"{name} is not in 0 to 100")
    weights = Weights(**given)
    if not any(astuple(weights)):
        raise ValueError("all weights are 0")
    return weights.in_hundred if given else weights


def weights_of(session: Session) -> Weights:
    """Return the weights of this installation: those that the session's engine was given, else the defaults."""
    weights: Weights = session.get_bind().get_execution_options().get(OPTION, DEFAULT_WEIGHTS)
    return weights

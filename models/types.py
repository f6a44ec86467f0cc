"""What goes into the language side and what comes out: all that `service` sees of `models`.

Offsets are Unicode code points into the note's text as given: `text[start:end] == quote`. The values of the
enumerations are those of the annotation guide. Vectors cross the border as bytes, so that a caller can store them
without knowing numpy: little-endian float16, shape `(n_dims,)`, of unit length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol


class Language(StrEnum):
    """Language of a text; `mixed` holds English and French, `unknown` is neither."""

    EN = "en"
    FR = "fr"
    MIXED = "mixed"
    UNKNOWN = "unknown"


class ObjectionType(StrEnum):
    """Why the customer resists."""

    PRICE = "price"
    BUDGET = "budget"
    VALUE = "value"
    TIMING = "timing"
    AUTHORITY = "authority"
    STATUS_QUO = "status_quo"
    PRODUCT_GAP = "product_gap"
    INTEGRATION = "integration"
    SECURITY_COMPLIANCE = "security_compliance"
    IMPLEMENTATION = "implementation"
    TRUST = "trust"
    SERVICE_DELIVERY = "service_delivery"
    CONTRACT_TERMS = "contract_terms"


class ObjectionStatus(StrEnum):
    """What became of an objection within its note."""

    OPEN = "open"
    RESOLVED = "resolved"
    ANTICIPATED = "anticipated"


class Relation(StrEnum):
    """Where a competitor stands at the account."""

    INCUMBENT = "incumbent"
    EVALUATING = "evaluating"
    LOST_TO = "lost_to"
    WON_AGAINST = "won_against"
    MENTIONED = "mentioned"


class Standing(StrEnum):
    """How a competitor does against us on the point made about it."""

    AHEAD = "ahead"
    BEHIND = "behind"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Competitor:
    """A competitor that the company follows, under all its names."""

    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalog:
    """Our own names, and the competitors'."""

    us: tuple[str, ...] = ()
    competitors: tuple[Competitor, ...] = ()


@dataclass(frozen=True, slots=True)
class NoteText:
    """One note to read. `kind` is a value of the guide (`call_note`, `transcript`, ...); it may be empty."""

    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Objection:
    """A reason against us.

    Attributes:
        score: Calibrated probability in (0, 1] that it is an objection of this type; None where a rule decided.
        source: Which rule or classifier made it, with its version.
    """

    start: int
    end: int
    quote: str
    type: ObjectionType
    status: ObjectionStatus
    score: float | None
    source: str


@dataclass(frozen=True, slots=True)
class CompetitorMention:
    """A name of a competitor, at one place.

    Attributes:
        name: The catalogue's canonical name if `known`, else the name as written.
        score: Probability in (0, 1] that the name is a competitor here; None where a rule decided.
        source: Which rule or classifier made it, with its version.
    """

    start: int
    end: int
    quote: str
    name: str
    known: bool
    relation: Relation
    standing: Standing
    score: float | None
    source: str


THEME_DIMS = 320
"""Of the space of themes; a centroid or vector of another length is of an earlier space."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a note that is about one thing; boilerplate, greetings and logistics belong to none.

    Attributes:
        language: `en`, `fr` or `unknown`.
        vector: What it says: little-endian float16 bytes, shape (n_dims,), unit length.
        theme_vector: Where it lies in the space of themes (`models/theme_space.py`), in the same form.
    """

    start: int
    end: int
    language: Language
    vector: bytes
    theme_vector: bytes


class PersonalKind(StrEnum):
    """What is hidden: a person's name, what leads to one (`models/contacts.py`), the unread end of a text."""

    PERSON = "person"
    EMAIL = "email"
    PROFILE = "profile"
    IBAN = "iban"
    CARD = "card"
    ID = "id"
    PHONE = "phone"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Personal:
    """What names or leads to a person at `text[start:end]`."""

    start: int
    end: int
    kind: PersonalKind


@dataclass(frozen=True, slots=True)
class NoteAnalysis:
    """All that was read in one note, each list in order of `start`."""

    language: Language
    objections: tuple[Objection, ...] = ()
    competitors: tuple[CompetitorMention, ...] = ()
    passages: tuple[Passage, ...] = ()
    personal: tuple[Personal, ...] = ()


class Analyzer(Protocol):
    """Reads notes. Same notes, catalogue and version give the same findings.

    Attributes:
        version: Changes whenever findings may change; stored with each finding.
    """

    version: str

    def analyze(self, notes: Sequence[NoteText], catalog: Catalog) -> list[NoteAnalysis]:
        """Read a batch.

        Args:
            notes: Any number of notes; each text is at most 1,000,000 characters.
            catalog: The names to look for.

        Returns:
            One analysis per note, in order.

        Raises:
            UnreadableNote: If one of the notes can't be read; the caller then reads them one by one.
        """
        ...


@dataclass(frozen=True, slots=True)
class ThemePassage:
    """A passage as a fit sees it.

    Attributes:
        vector: As in `Passage`, and so `theme_vector`.
        account: Whose note it is from; quotes of a theme come from different accounts.
        theme: Key of the living theme that it has; empty where it has none.
        day: Of its note, where it is known.
    """

    text: str
    language: Language
    vector: bytes
    theme_vector: bytes
    account: str = ""
    theme: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True)
class LivingTheme:
    """A theme that exists before a fit.

    Attributes:
        centroid: In the form of `Passage.theme_vector`.
        origin: The centroid that it began with, which no fit takes it far from; empty where that is its centroid.
    """

    key: str
    centroid: bytes
    origin: bytes = b""


@dataclass(frozen=True, slots=True)
class FittedTheme:
    """A theme as a fit found it.

    Attributes:
        key: The living theme that it continues; None where it is new.
        label: Short noun phrase by language, `{"en": ..., "fr": ...}`.
        keywords: By language, most telling first.
        centroid: As in `Passage.theme_vector`.
        representatives: Indices into the fitted passages, most typical first, from different accounts where it can be.
    """

    key: str | None
    label: dict[str, str]
    keywords: dict[str, list[str]]
    centroid: bytes
    representatives: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ThemeFit:
    """The result of a fit.

    Attributes:
        version: Which engine and parameters made it.
        themes: The themes found, largest first.
        assignments: For each passage, in order, an index into `themes`, or None.
        similarities: For each passage, its cosine with the centroid in [-1, 1], or None where it has no theme.
    """

    version: str
    themes: tuple[FittedTheme, ...] = ()
    assignments: tuple[int | None, ...] = ()
    similarities: tuple[float | None, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class ThemeMatch:
    """The theme of one passage: its key and the cosine in [min_similarity, 1]."""

    key: str
    similarity: float

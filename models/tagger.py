"""The contextual tagger: reads whole notes and marks objections and competitors' names, with ONNX Runtime.

A bilingual MiniLM (six BERT layers, Wang et al. 2020) with one linear head gives, for each piece of a word, the chance
of each objection type, of a beginning, of each status, of a name, and the relation and standing of a name. Made by
`training/reader_tagger.py`.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession, SessionOptions
from tokenizers import Encoding, Tokenizer

from models import name_kinds
from models.manifest import verified_manifest
from models.name_kinds import KindHeads, NameKinds, load_kind_heads
from models.types import ObjectionStatus, ObjectionType, Relation, Standing

NETWORK_FILE = "network.onnx"
TOKENIZER_FILE = "tokenizer.json"
SETTINGS_FILE = "settings.json"

TYPE = slice(0, 14)
"""Columns of the head: no objection, then the types in order."""
BEGIN = 14
STATUS = slice(15, 18)
NAME = slice(18, 21)
"""Outside, first piece of a name, further piece."""
RELATION = slice(21, 26)
STANDING = slice(26, 29)
N_COLUMNS = 29
N_DIMS = 384
LAYERS = (2, 4, 6)
"""Layers, from 1, whose vectors the graph gives too; the heads of `models/name_kinds.py` read them."""


def layer_output(layer: int) -> str:
    """Return what the graph calls the vectors of a layer."""
    return f"/base/layers.{layer - 1}/norm/LayerNormalization_output_0"


WINDOW = 254
"""Pieces that the network reads at once, beside the opening and closing one."""
CONTEXT = 24
"""Pieces of the neighbouring text that a window repeats at each end."""
MAX_CHARS = 30_000
"""A longer text is read up to here: about five thousand words."""
MIN_CHARS = 6
"""A shorter stretch is no objection."""
_OPEN, _CLOSE = 2, 3

_MARKUP = re.compile(r"<(?:/?[a-zA-Z]|!--)[^<>]{0,300}>|&(?:[a-zA-Z]{2,8}|#\d{1,6});")
_BLOCK = re.compile(r"</?(?:p|br|div|li|ul|ol|tr|h\d|table)\b", re.I)


def visible(text: str) -> tuple[str, NDArray[np.int64]]:
    """Return a text as a reader sees it, without HTML tags and with entities resolved.

    Returns:
        The visible text, and for each of its characters and for its end the offset into `text`; shape (n + 1,).
    """
    parts, offsets, at = list[str](), list[NDArray[np.int64]](), 0
    for match in _MARKUP.finditer(text):
        new = _replacement(match[0])
        parts += [text[at : match.start()], new]
        offsets += [np.arange(at, match.start()), np.full(len(new), match.start())]
        at = match.end()
    parts.append(text[at:])
    offsets.append(np.arange(at, len(text) + 1))
    return "".join(parts), np.concatenate(offsets)


def _replacement(markup: str) -> str:
    if markup.startswith("&"):
        return html.unescape(markup)
    return "\n" if _BLOCK.match(markup) else " "


def word_shapes(text: str, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how each piece's word is written, which the lower-cased pieces don't tell.

    0 small letters or no letters, 1 a capital first, 2 all capitals, 3 capitals inside. Shape (n_pieces,).
    """
    shapes = np.zeros(len(offsets), dtype=np.int64)
    word, ends = 0, -1
    for i, (start, end) in enumerate(offsets.tolist()):
        if start >= ends:
            match = _WORD.match(text, start)
            ends = match.end() if match else end
            word = _shape(text[start:ends])
        shapes[i] = word
    return shapes


_WORD = re.compile(r"[^\W_]+")


def _shape(word: str) -> int:
    if word.islower() or not any(c.isupper() for c in word):
        return 0
    if len(word) > 1 and word.isupper():
        return 2
    return 3 if any(c.isupper() for c in word[1:]) else 1


@dataclass(frozen=True, slots=True)
class Window:
    """Pieces `first` to `last` are read together; the answers for `core_first` to `core_last` are kept."""

    first: int
    last: int
    core_first: int
    core_last: int


def cut_windows(text: str, offsets: NDArray[np.int64]) -> Iterator[Window]:
    """Cut pieces into windows, at the end of a line or sentence where one is near."""
    n, start = len(offsets), 0
    while start < n:
        before = min(start, CONTEXT)
        end = n
        if n - start > WINDOW - before:
            latest = start + WINDOW - before - CONTEXT
            end = _good_cut(text, offsets, start + (latest - start) // 2, latest)
        yield Window(start - before, min(n, end + CONTEXT), start, end)
        start = end


def _good_cut(text: str, offsets: NDArray[np.int64], earliest: int, latest: int) -> int:
    sentence = 0
    for i in range(latest, earliest, -1):
        between = text[offsets[i - 1, 1] : offsets[i, 0]]
        if "\n" in between:
            return i
        if not sentence and between and text[offsets[i - 1, 0]] in ".!?…":
            sentence = i
    return sentence or latest


@dataclass(frozen=True, slots=True)
class TaggedObjection:
    """A stretch that the tagger takes for an objection; `score` is a calibrated probability."""

    start: int
    end: int
    type: ObjectionType
    status: ObjectionStatus
    score: float


@dataclass(frozen=True, slots=True)
class TaggedName:
    """A stretch that the tagger takes for a competitor's name, with its probability."""

    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Pieces:
    """What the network says of one text.

    Attributes:
        offsets: Characters of each piece in the text as given, (n_pieces, 2).
        logits: Columns as above, (n_pieces, N_COLUMNS).
        kinds: What the heads for names say of the same pieces; None where the tagger has none.
        vectors: Of the last layer, (n_pieces, N_DIMS); float16, as long notes have thousands.
    """

    offsets: NDArray[np.int64]
    logits: NDArray[np.float32]
    kinds: NameKinds | None = None
    vectors: NDArray[np.float16] | None = None

    def inside(self, start: int, end: int) -> NDArray[np.int64]:
        """Return the indices of the pieces that lie in a stretch of the text."""
        return np.flatnonzero((self.offsets[:, 0] < end) & (self.offsets[:, 1] > start))


@dataclass(frozen=True, slots=True)
class Settings:
    """How answers are read off the network; set on held-out industries.

    Attributes:
        objection: Least mean chance of an objection over a found stretch.
        piece: Least chance of an objection at a piece for it to open or continue a stretch.
        begin: Chance of a beginning from which a stretch is cut in two.
        name: Least chance of a name.
        slope: With `intercept`, turns the log odds of a found stretch into those of its score (Platt 1999).
        intercept: As above.
    """

    objection: float = 0.5
    piece: float = 0.4
    begin: float = 0.5
    name: float = 0.5
    slope: float = 1.0
    intercept: float = 0.0


class Tagged:
    """The tagger's reading of one text, and its opinion on any stretch of it."""

    def __init__(self, text: str, pieces: Pieces, settings: Settings) -> None:
        self._pieces = pieces
        self._settings = settings
        self.kinds = pieces.kinds or NameKinds.unread()
        self.objections = tuple(find_objections(text, pieces, settings))
        self.names = tuple(find_names(pieces, settings))

    def type_chances(self, start: int, end: int) -> NDArray[np.float32]:
        """Return the chance of no objection, then of each type in order, over a stretch; shape (14,)."""
        inside = self._pieces.inside(start, end)
        if not len(inside):
            return np.array([1.0] + [0.0] * 13, dtype=np.float32)
        mean: NDArray[np.float32] = softmax(self._pieces.logits[inside, TYPE]).mean(axis=0)
        return mean

    def chances(self, start: int, end: int, columns: slice) -> NDArray[np.float32]:
        """Return the mean chances of some columns (STATUS, RELATION, STANDING); even ones for an empty stretch."""
        inside = self._pieces.inside(start, end)
        if not len(inside):
            return np.full(columns.stop - columns.start, 1 / (columns.stop - columns.start), dtype=np.float32)
        mean: NDArray[np.float32] = softmax(self._pieces.logits[inside, columns]).mean(axis=0)
        return mean

    def name_chance(self, start: int, end: int) -> float:
        """Return the chance that a stretch is a competitor's name here, in [0, 1]."""
        inside = self._pieces.inside(start, end)
        return float(1 - softmax(self._pieces.logits[inside, NAME])[:, 0].mean()) if len(inside) else 0.0

    def vector(self, start: int, end: int) -> NDArray[np.float32]:
        """Return the mean of the last layer over a stretch, (N_DIMS,); zeros for an empty one."""
        inside = self._pieces.inside(start, end)
        if self._pieces.vectors is None or not len(inside):
            return np.zeros(N_DIMS, dtype=np.float32)
        mean: NDArray[np.float32] = self._pieces.vectors[inside].mean(axis=0, dtype=np.float32)
        return mean

    def turns(self, start: int, end: int) -> list[int]:
        """Return where, inside a stretch, a reason begins or ends: offsets of first characters, in order."""
        inside = self._pieces.inside(start, end)
        if len(inside) < 2:
            return []
        likely = 1 - softmax(self._pieces.logits[inside, TYPE])[:, 0] >= self._settings.piece
        begins = 1 / (1 + np.exp(-self._pieces.logits[inside, BEGIN])) >= self._settings.begin
        turned = np.flatnonzero((likely[1:] != likely[:-1]) | (likely[1:] & begins[1:])) + 1
        offsets = self._pieces.offsets[inside]
        return [int(offsets[i, 0]) for i in turned if offsets[i, 0] > offsets[i - 1, 1]]

    def relation(self, start: int, end: int) -> Relation:
        """Return the likeliest relation of the name at a stretch."""
        return list(Relation)[self._likeliest(start, end, RELATION)] if self._known(start, end) else Relation.MENTIONED

    def standing(self, start: int, end: int) -> Standing:
        """Return the likeliest standing of the name at a stretch."""
        return list(Standing)[self._likeliest(start, end, STANDING)] if self._known(start, end) else Standing.NEUTRAL

    def _known(self, start: int, end: int) -> bool:
        return len(self._pieces.inside(start, end)) > 0

    def _likeliest(self, start: int, end: int, columns: slice) -> int:
        return int(self._pieces.logits[self._pieces.inside(start, end), columns].mean(axis=0).argmax())


def find_objections(text: str, pieces: Pieces, settings: Settings) -> Iterator[TaggedObjection]:
    """Yield objections: runs of pieces that are likely part of one, cut where another begins or the type turns."""
    if not len(pieces.offsets):
        return
    chances = softmax(pieces.logits[:, TYPE])
    likely = 1 - chances[:, 0]
    begins = 1 / (1 + np.exp(-pieces.logits[:, BEGIN]))
    for first, last in _runs(likely >= settings.piece, begins >= settings.begin):
        chance = float(likely[first:last].mean())
        start, end = trimmed(text, int(pieces.offsets[first, 0]), int(pieces.offsets[last - 1, 1]))
        if chance < settings.objection or end - start < MIN_CHARS:
            continue
        kind = int(pieces.logits[first:last, 1:14].mean(axis=0).argmax())
        status = int(pieces.logits[first:last, STATUS].mean(axis=0).argmax())
        odds = settings.slope * np.log(chance / (1 - chance + 1e-6)) + settings.intercept
        score = float(1 / (1 + np.exp(-odds)))
        yield TaggedObjection(start, end, list(ObjectionType)[kind], list(ObjectionStatus)[status], score)


def _runs(inside: NDArray[np.bool_], begins: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    start = -1
    for i in range(len(inside) + 1):
        if start >= 0 and (i == len(inside) or not inside[i] or (begins[i] and i - start > 2)):
            yield start, i
            start = -1
        if i < len(inside) and inside[i] and start < 0:
            start = i


def find_names(pieces: Pieces, settings: Settings) -> Iterator[TaggedName]:
    """Yield names: a first piece and what continues it."""
    chances = softmax(pieces.logits[:, NAME])
    i, n = 0, len(chances)
    while i < n:
        if 1 - chances[i, 0] < settings.name:
            i += 1
            continue
        first = i
        i += 1
        while (
            i < n and 1 - chances[i, 0] >= settings.name and not (chances[i, 1] > chances[i, 2] and _apart(pieces, i))
        ):
            i += 1
        start, end = int(pieces.offsets[first, 0]), int(pieces.offsets[i - 1, 1])
        yield TaggedName(start, end, float(1 - chances[first:i, 0].mean()))


def _apart(pieces: Pieces, i: int) -> bool:
    return bool(pieces.offsets[i, 0] > pieces.offsets[i - 1, 1])


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Shrink a stretch by the spaces and separating marks at its ends."""
    while start < end and text[start] in " \t\r\n,;:.-–—•*)":
        start += 1
    while end > start and text[end - 1] in " \t\r\n,;:-–—•*(":
        end -= 1
    return start, end


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return chances over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    chances: NDArray[np.float32] = powers / powers.sum(axis=-1, keepdims=True)
    return chances


class Tagger:
    """Reads texts. Attributes: `version` changes whenever readings may change.

    Args:
        session: The network; one thread a call.
        tokenizer: Cuts words into pieces.
        settings: How answers are read off.
        version: Of the artefact.
        n_threads: Texts read side by side: for notes, a core each is faster than several cores on one.
        heads: What reads kinds of names off the same layers; None while the tagger itself is trained.
    """

    def __init__(
        self,
        session: InferenceSession,
        tokenizer: Tokenizer,
        settings: Settings,
        version: str,
        n_threads: int = 1,
        heads: KindHeads | None = None,
    ) -> None:
        self.version = version
        self._readers = ThreadPoolExecutor(n_threads, thread_name_prefix="tagger")
        self._session = session
        self._tokenizer = tokenizer
        self._settings = settings
        self._heads = heads

    def tag(self, texts: Sequence[str]) -> list[Tagged]:
        """Read texts; each is read up to `MAX_CHARS` characters. Offsets are into the texts as given."""
        return list(self.stream(texts))

    def stream(self, texts: Sequence[str]) -> Iterator[Tagged]:
        """Yield the reading of each text while those after it are still being read."""
        for text, pieces in zip(texts, self.read(texts), strict=True):
            yield Tagged(text, pieces, self._settings)

    def read(self, texts: Sequence[str]) -> Iterator[Pieces]:
        """Yield the network's raw answers for each text; all are begun at once."""
        seen = [visible(text[:MAX_CHARS]) for text in texts]
        encodings = self._tokenizer.encode_batch([plain for plain, _ in seen], add_special_tokens=False)
        plain, at = zip(*seen, strict=True) if seen else ((), ())
        return self._readers.map(self._read, plain, at, encodings)

    def _read(self, plain: str, at: NDArray[np.int64], encoding: Encoding) -> Pieces:
        offsets = np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2)
        ids, shapes = np.asarray(encoding.ids, dtype=np.int64), word_shapes(plain, offsets)
        logits = np.zeros((len(ids), N_COLUMNS), dtype=np.float32)
        kinds = np.zeros((len(ids), name_kinds.N_COLUMNS), dtype=np.float32)
        vectors = np.zeros((len(ids), N_DIMS), dtype=np.float16)
        for window in cut_windows(plain, offsets):
            part = slice(window.first, window.last)
            answer, *layers = self._run(framed(ids[part], _OPEN, _CLOSE), framed(shapes[part], 0, 0))
            kept = slice(1 + window.core_first - window.first, 1 + window.core_last - window.first)
            logits[window.core_first : window.core_last] = answer[kept]
            vectors[window.core_first : window.core_last] = layers[-1][kept]
            if self._heads:
                kinds[window.core_first : window.core_last] = self._heads(layers)[kept]
        raw = np.stack([at[offsets[:, 0]], at[np.maximum(offsets[:, 1] - 1, 0)] + 1], axis=1)
        return Pieces(raw, logits, NameKinds(raw, kinds) if self._heads else None, vectors)

    def _run(self, ids: NDArray[np.int64], shapes: NDArray[np.int64]) -> list[NDArray[np.float32]]:
        """Return logits, (n_pieces, N_COLUMNS), of one window, and the vectors of each of `LAYERS`.

        One window at a time: int8 networks take the range of their activations from all that is in a batch, so a text's
        neighbours would change its reading.
        """
        inputs = {"ids": ids[None], "mask": np.ones_like(ids)[None], "shapes": shapes[None]}
        return [values[0] for values in self._session.run(None, inputs)]


def framed(values: NDArray[np.int64], before: int, after: int) -> NDArray[np.int64]:
    """Put one value before and one after."""
    return np.concatenate([[before], values, [after]])


def load_tagger(folder: Path, names: Path | None = None, n_threads: int = 2) -> Tagger:
    """Load a tagger.

    Args:
        folder: The artefact.
        names: The artefact of the heads for names; without it, kinds of names stay unread.
        n_threads: Texts that are read side by side.

    Raises:
        ArtefactMissing: If a file is not there.
        ArtefactDamaged: If a file is not the one that the manifest describes.
    """
    manifest = verified_manifest(folder)
    settings: dict[str, Any] = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
    session = open_session(folder / NETWORK_FILE)
    heads = load_kind_heads(names) if names else None
    return Tagger(session, tokenizer, Settings(**settings), manifest.version, n_threads, heads)


def open_session(path: Path) -> InferenceSession:
    """Open a network for the processor, one thread a call."""
    options = SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

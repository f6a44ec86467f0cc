"""Reads notes: the spaCy pipeline from a note's text to its findings, and the artefacts it loads.

A note is taken apart first (`models/notes.py`); then `binome_language` tells its language, `binome_competitors` finds
rivals' names, `binome_objections` reasons against us, `binome_passages` what it is about. What names persons
is found last.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import spacy
from spacy.language import Language as Pipeline
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from models.competitors import CompetitorComponent
from models.encoder import Encoder, load_encoder, to_bytes
from models.errors import UnreadableNote
from models.language import LanguageComponent, LanguageReader, load_language_reader
from models.lexicon import Lexicon, load_lexicon
from models.manifest import verified_manifest
from models.mentions import MentionReader, load_mention_reader
from models.notes import MAX_READ_CHARS, read_note
from models.objections import ObjectionReader, load_objection_reader
from models.passages import PassageComponent, findings_of
from models.personal import find_personal
from models.raised import ObjectionComponent
from models.small_talk import SmallTalk, load_small_talk
from models.tagger import Tagger, load_tagger
from models.theme_space import ThemeSpace, load_theme_space
from models.types import (
    Catalog,
    CompetitorMention,
    NoteAnalysis,
    NoteText,
    Objection,
    ObjectionStatus,
    ObjectionType,
    Passage,
    Personal,
    PersonalKind,
    Relation,
    Standing,
)

ARTEFACTS = Path(__file__).parent / "artefacts"
ARTEFACT_NAMES = ("lexicon", "language", "encoder", "tagger", "names", "mentions", "objections", "themes", "small_talk")
MAX_NOTE_CHARS = 1_000_000
NOTES_TOGETHER = 16
"""Notes judged at once: few, so that the tagger reads the next ones meanwhile."""
CODE_VERSION = "11"
"""Raised by hand whenever the code, not an artefact, changes what is found."""

_TOKEN = re.compile(r"[^\W_]+|\s+|[^\w\s]|_")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class NoteTokenizer:
    """Splits text into runs of letters and digits, single marks, and spaces: every offset is a token's border."""

    def __init__(self, vocab: Vocab) -> None:
        self._vocab = vocab

    def __call__(self, text: str) -> Doc:
        """Return the document of a text."""
        words: list[str] = []
        spaces: list[bool] = []
        for match in _TOKEN.finditer(text):
            if match[0] == " " and words and not spaces[-1]:
                spaces[-1] = True
            else:
                words.append(match[0])
                spaces.append(False)
        return Doc(self._vocab, words=words, spaces=spaces)


class NoteReader:
    """The analyzer: see `models.types.Analyzer`.

    Args:
        pipeline: With the components named above.
        language_reader: Tells the languages.
        encoder: Makes the vectors of passages.
        tagger: Gives its opinion on every stretch of a note.
        space: Where passages lie among themes.
        small_talk: Tells passages that themes are not made of.
        lexicon: Tells first names from ordinary words.
        version: Of code and artefacts together.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        language_reader: LanguageReader,
        encoder: Encoder,
        tagger: Tagger,
        space: ThemeSpace,
        small_talk: SmallTalk,
        lexicon: Lexicon,
        version: str,
    ) -> None:
        self.version = version
        self._lexicon = lexicon
        self._pipeline = pipeline
        self._languages = language_reader
        self._encoder = encoder
        self._tagger = tagger
        self._space = space
        self._small_talk = small_talk

    def analyze(self, notes: Sequence[NoteText], catalog: Catalog) -> list[NoteAnalysis]:
        """Read a batch; see `models.types.Analyzer.analyze`."""
        with self._pipeline.memory_zone():
            docs = list(self._pipeline.pipe(self._docs(notes, catalog), batch_size=NOTES_TOGETHER))
            return self._analyses(docs)

    def _docs(self, notes: Sequence[NoteText], catalog: Catalog) -> Iterator[Doc]:
        """Yield the documents of notes, with what the tagger says of each."""
        for note in notes:
            if len(note.text) > MAX_NOTE_CHARS:
                raise UnreadableNote(f"a note has {len(note.text)} characters, more than {MAX_NOTE_CHARS}")
        texts = [_SURROGATE.sub("\ufffd", note.text[:MAX_READ_CHARS]) for note in notes]
        for note, text, tagged in zip(notes, texts, self._tagger.stream(texts), strict=True):
            doc = self._pipeline.tokenizer(text)
            doc.user_data |= {"note": read_note(text, note.kind), "catalog": catalog, "tagged": tagged}
            doc.user_data["length"] = len(note.text)
            yield doc

    def _analyses(self, docs: Sequence[Doc]) -> list[NoteAnalysis]:
        """Add languages and vectors, for all documents at once, and write the findings in the types of the border."""
        described = iter(self._passages([span for doc in docs for span in doc.spans["passages"]]))
        return [
            NoteAnalysis(
                doc.user_data["language"],
                tuple(_objection(span) for span in doc.spans["objections"]),
                tuple(_mention(span) for span in doc.spans["competitors"]),
                tuple(p for p in [next(described) for _ in doc.spans["passages"]] if p),
                tuple(self._personal(doc)),
            )
            for doc in docs
        ]

    def _personal(self, doc: Doc) -> list[Personal]:
        """Return what names persons, and what is not read and may; rivals and what the catalogue lists are nobody's."""
        firms = [(span.start_char, span.end_char) for span in doc.spans["competitors"]] + doc.user_data["listed"]
        found = find_personal(doc.user_data["note"].text, self._lexicon, doc.user_data["tagged"].kinds, firms)
        if doc.user_data["length"] > MAX_READ_CHARS:
            found.append(Personal(MAX_READ_CHARS, doc.user_data["length"], PersonalKind.UNREAD))
        return found

    def _passages(self, spans: Sequence[Span]) -> Iterator[Passage | None]:
        """Yield passages with their languages and vectors; None for small talk that holds no finding."""
        if not spans:
            return
        texts = [span.doc.user_data["note"].text[span.start_char : span.end_char] for span in spans]
        languages, meanings = self._languages.read(texts), self._encoder.encode(texts)
        tagged = np.stack([span.doc.user_data["tagged"].vector(span.start_char, span.end_char) for span in spans])
        placed = self._space.place(meanings, tagged, languages)
        for span, language, vector, theme_vector, small in zip(
            spans, languages, to_bytes(meanings), to_bytes(placed), self._small_talk.tell(placed), strict=True
        ):
            found = Passage(span.start_char, span.end_char, language, vector, theme_vector)
            yield None if small and not _holds_finding(span) else found


def _holds_finding(passage: Span) -> bool:
    return any(passage.start_char < end and start < passage.end_char for start, end in findings_of(passage.doc))


def _objection(span: Span) -> Objection:
    return Objection(
        span.start_char,
        span.end_char,
        span.text,
        ObjectionType(span.label_),
        ObjectionStatus(span._.status),
        round(span._.score, 4),
        "classifier",
    )


def _mention(span: Span) -> CompetitorMention:
    return CompetitorMention(
        span.start_char,
        span.end_char,
        span.text,
        span.kb_id_,
        span._.known,
        Relation(span.label_),
        Standing(span._.standing),
        round(span._.score, 4),
        "classifier",
    )


@dataclass(frozen=True)
class Resources:
    """What the components are made of."""

    lexicon: Lexicon
    languages: LanguageReader
    encoder: Encoder
    mentions: MentionReader
    objections: ObjectionReader


@lru_cache(maxsize=1)
def _resources(folder: str) -> Resources:
    path = Path(folder)
    lexicon = load_lexicon(path / "lexicon")
    return Resources(
        lexicon,
        load_language_reader(path / "language", lexicon),
        load_encoder(path / "encoder"),
        load_mention_reader(path / "mentions"),
        load_objection_reader(path / "objections"),
    )


@Pipeline.factory("binome_language")
def _language(nlp: Pipeline, name: str, artefacts: str) -> LanguageComponent:
    return LanguageComponent(_resources(artefacts).languages)


@Pipeline.factory("binome_competitors", assigns=["doc.spans"])
def _competitors(nlp: Pipeline, name: str, artefacts: str) -> CompetitorComponent:
    resources = _resources(artefacts)
    return CompetitorComponent(resources.lexicon, resources.mentions)


@Pipeline.factory("binome_objections", assigns=["doc.spans"], requires=["doc.spans"])
def _objections(nlp: Pipeline, name: str, artefacts: str) -> ObjectionComponent:
    resources = _resources(artefacts)
    return ObjectionComponent(resources.objections, resources.encoder)


@Pipeline.factory("binome_passages", assigns=["doc.spans"], requires=["doc.spans"])
def _passages(nlp: Pipeline, name: str) -> PassageComponent:
    return PassageComponent()


def load_analyzer(folder: Path = ARTEFACTS) -> NoteReader:
    """Load the analyzer from its artefacts.

    Raises:
        ArtefactMissing: If a file of an artefact is not there.
        ArtefactDamaged: If a file differs from its manifest.
    """
    version = _version(folder)
    pipeline = spacy.blank("xx")
    pipeline.tokenizer = NoteTokenizer(pipeline.vocab)
    pipeline.add_pipe("binome_language", config={"artefacts": str(folder)})
    pipeline.add_pipe("binome_competitors", config={"artefacts": str(folder)})
    pipeline.add_pipe("binome_objections", config={"artefacts": str(folder)})
    pipeline.add_pipe("binome_passages")
    resources = _resources(str(folder))
    return NoteReader(
        pipeline,
        resources.languages,
        resources.encoder,
        load_tagger(folder / "tagger", folder / "names"),
        load_theme_space(folder / "themes"),
        load_small_talk(folder / "small_talk"),
        resources.lexicon,
        version,
    )


def _version(folder: Path) -> str:
    parts = [
        CODE_VERSION,
        *(verified_manifest(folder / name).version for name in ARTEFACT_NAMES),
    ]
    return "reader-" + hashlib.sha256(" ".join(parts).encode()).hexdigest()[:10]

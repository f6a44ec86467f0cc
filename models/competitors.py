"""Component `binome_competitors`: the names of rivals in a note, listed in the catalogue or not.

Catalogue names are found first, however typed; the context then decides which of them are rivals here, and which other
names are. Writes `doc.spans["competitors"]`: label is the relation, `kb_id` the canonical name; into
`doc.user_data["listed"]` goes where names of the catalogue stand, our own too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from spacy.tokens import Doc, Span

from models.blend import LEAST, agreed
from models.candidates import CandidateFinder, persons_in
from models.catalog import CatalogMatcher, NameMatch
from models.exclusions import SURE_NAME, OtherNames, in_plain_sense
from models.lexicon import Lexicon, fold_key
from models.linear import hash_features
from models.mentions import (
    LEAST_NAME,
    N_FEATURES,
    YES,
    MentionReader,
    Name,
    Task,
    is_certain,
    least_chance,
    mention_features,
    tagger_opinion,
)
from models.notes import ReadNote
from models.spans import batches, char_span
from models.types import Catalog, Language, Relation, Standing

KEY = "competitors"
MAX_NAMES = 2_000
"""Names judged in one note, so that time is bounded."""
CERTAIN_SHARE = 0.3
"""A name spelt as listed that is no ordinary word needs only this part of the voices' threshold."""
_SECOND_PERSON = frozenset(["you", "your", "yours", "vous", "votre", "vos", "tu", "ton", "ta", "tes"])


class CompetitorComponent:
    """Marks competitor mentions with relation and standing.

    Args:
        lexicon: Ordinary words, first names, places.
        reader: The classifiers of `models/mentions.py`.
    """

    def __init__(self, lexicon: Lexicon, reader: MentionReader) -> None:
        self._lexicon = lexicon
        self._reader = reader
        self._finder = CandidateFinder(lexicon)
        self._matcher = lru_cache(maxsize=8)(lambda catalog: CatalogMatcher(catalog, lexicon))

    def __call__(self, doc: Doc) -> Doc:
        """Mark one document."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 64) -> Iterator[Doc]:
        """Mark documents, batch by batch."""
        for docs in batches(stream, batch_size):
            self._read([(doc, name, row) for doc in docs for name, row in self._described(doc)])
            for doc in docs:
                found = joined_parts(doc, sorted(doc.spans[KEY], key=lambda s: s.start_char))
                doc.spans[KEY] = told_of_customers(doc.user_data["note"], self._rivals(doc, found))
                yield doc

    def _described(self, doc: Doc) -> Iterator[tuple[Name, list[str]]]:
        """Yield each name of a note that may be a rival's, with its features."""
        note: ReadNote = doc.user_data["note"]
        catalog: Catalog = doc.user_data["catalog"]
        doc.spans[KEY] = []
        matcher = self._matcher(catalog)
        matches = catalogue_names(note, matcher)
        doc.user_data["listed"] = [(note.words[m.first].start, note.words[m.last - 1].end) for m in matches]
        known = [Name(m.first, m.last, m) for m in matches if m.name is not None]
        taken = {i for m in matches for i in range(m.first, m.last)}
        # Which words may be names is known of English and French alone: German nouns look like names.
        readable = doc.user_data["language"] is not Language.UNKNOWN
        unknown = find_candidates(note, self._finder, taken, matcher.own_words) if readable else []
        others = names_by_segment(note, known)
        for name in (known + unknown)[:MAX_NAMES]:
            segment = note.segment_of(note.words[name.first].start)
            kinds = doc.user_data["tagged"].kinds
            yield name, mention_features(note, name, self._lexicon, others.get(segment, ()), kinds)

    def _read(self, named: Sequence[tuple[Doc, Name, list[str]]]) -> None:
        """Judge names, and add those that are rivals' to their documents."""
        if not named:
            return
        features = hash_features([row for _, _, row in named], N_FEATURES)
        places = [name.place(doc.user_data["note"]) for doc, name, _ in named]
        chances = {task: self._chances(task, features, named, places) for task in Task}
        labels = {task: model.labels for task, model in self._reader.models.items()}
        listed, unlisted = (chances[task][:, labels[task].index(YES)] for task in (Task.KNOWN, Task.UNKNOWN))
        keys = [
            name_in_note(id(doc), doc.user_data["note"].text[slice(*place)])
            for (doc, *_), place in zip(named, places, strict=True)
        ]
        found = self._listed(features, named, listed, keys)
        found |= {
            i: float(chance)
            for i, chance in enumerate(agreed(unlisted, keys))
            if not named[i][1].match and chance >= self._reader.thresholds[Task.UNKNOWN]
        }
        for i, score in sorted(found.items()):
            doc, name, _ = named[i]
            span = char_span(doc, *places[i], labels[Task.RELATION][int(chances[Task.RELATION][i].argmax())])
            span.kb_id_ = name.match.name if name.match and name.match.name else span.text
            span._.standing = labels[Task.STANDING][int(chances[Task.STANDING][i].argmax())]
            span._.score, span._.known = score, name.match is not None
            doc.spans[KEY].append(span)

    def _listed(
        self,
        features: csr_matrix,
        named: Sequence[tuple[Doc, Name, list[str]]],
        pooled: NDArray[np.float32],
        keys: Sequence[tuple[int, str]],
    ) -> dict[int, float]:
        """Return the listed names that are rivals', by index, with how likely each is.

        The head decides, of what the voices don't rule out together: "notion" is a plain word in "no notion of". It has
        learned English and French: in another language the voices decide.
        """
        least = self._reader.thresholds[Task.KNOWN]
        taken, read = list[int](), list[int]()
        for i, (doc, name, _) in enumerate(named):
            if name.match is None:
                continue
            readable = doc.user_data["language"] is not Language.UNKNOWN
            alone = least * (CERTAIN_SHARE if is_certain(name.match) else 1)
            if pooled[i] >= (LEAST_NAME if readable else alone):
                taken.append(i)
                read += [i] if readable else []
        names = [(doc.user_data["note"], doc.user_data["tagged"], name) for doc, name, _ in (named[i] for i in read)]
        heard = agreed(self._reader.listed_chances(features[read], names), [keys[i] for i in read])
        judged = dict(zip(read, heard.tolist(), strict=True))
        scores = {i: judged.get(i, float(pooled[i])) for i in taken}
        return {i: s for i, s in scores.items() if i not in judged or s >= self._reader.listed_threshold}

    def _rivals(self, doc: Doc, spans: Sequence[Span]) -> list[Span]:
        """Leave out unlisted names that are rather something else."""
        if all(span._.known for span in spans):
            return list(spans)
        sure = [(s.start_char, s.end_char) for s in spans if s._.known or s._.score >= SURE_NAME]
        note, kinds = doc.user_data["note"], doc.user_data["tagged"].kinds
        others = OtherNames(note.text, self._lexicon, kinds, sure + doc.user_data["listed"], cased=note.cased)
        return [s for s in spans if s._.known or not others.hold(s.start_char, s.end_char, s._.score)]

    def _chances(
        self,
        task: Task,
        features: csr_matrix,
        named: Sequence[tuple[Doc, Name, list[str]]],
        places: Sequence[tuple[int, int]],
    ) -> NDArray[np.float32]:
        opinions = [
            tagger_opinion(doc.user_data["tagged"], task, *place)
            for (doc, _, _), place in zip(named, places, strict=True)
        ]
        judged = task in {Task.KNOWN, Task.UNKNOWN}
        least = [least_chance(doc.user_data["note"], name) if judged else LEAST for doc, name, _ in named]
        return self._reader.chances(task, features, np.array(opinions), np.array(least))


def joined_parts(doc: Doc, spans: Sequence[Span]) -> list[Span]:
    """Join neighbouring parts of one unlisted name: "Hoist" and "Sons" in "Hoist & Sons"."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last and not last._.known and not span._.known and _adjacent(doc, last, span):
            whole = char_span(doc, last.start_char, span.end_char, last.label_)
            whole.kb_id_ = whole.text
            whole._.standing, whole._.score = last._.standing, max(last._.score, span._.score)
            joined[-1] = whole
        else:
            joined.append(span)
    return joined


def _adjacent(doc: Doc, one: Span, other: Span) -> bool:
    """Tell whether nothing but a space, "&" or "-" stands between two spans."""
    return other.start_char - one.end_char < 4 and doc[one.end : other.start].text.strip() in {"", "&", "-"}


def told_of_customers(note: ReadNote, spans: Sequence[Span]) -> list[Span]:
    """Return the mentions that tell of the customer, where a transcript says who speaks.

    A rival that our own people bring up and no customer names is one only where they say what the customer does with it
    ("you use Zendesk today?"), not in their own pitch; and what they claim about any is no point that the customer
    makes.
    """
    ours = [note.says_us(note.segment_at(span.start_char)) for span in spans]
    customers = {fold_key(span.kb_id_) for span, us in zip(spans, ours, strict=True) if not us}
    told = []
    for span, us in zip(spans, ours, strict=True):
        if us:
            index = note.segment_at(span.start_char)
            addressed = index is not None and not _SECOND_PERSON.isdisjoint(note.segment_tokens(index))
            if fold_key(span.kb_id_) not in customers and (span.label_ == Relation.MENTIONED or not addressed):
                continue
            span._.standing = Standing.NEUTRAL
        told.append(span)
    return told


def name_in_note(note: int, name: str) -> tuple[int, str]:
    """Return the key under which the places of an unlisted name in one note are judged together."""
    return note, fold_key(name)


def catalogue_names(note: ReadNote, matcher: CatalogMatcher) -> list[NameMatch]:
    """Return the catalogue's names in a note, without those in boilerplate or in a plain sense."""
    return [m for m in matcher.find(note.words, note.text) if _readable(note, m)]


def _readable(note: ReadNote, match: NameMatch) -> bool:
    start, end = note.words[match.first].start, note.words[match.last - 1].end
    if in_plain_sense(note.text, start, end, ordinary=match.ordinary):
        return False
    return note.segment_of(start) is not None


def names_by_segment(note: ReadNote, names: Sequence[Name]) -> dict[int | None, list[tuple[int, int]]]:
    """Return the offsets of names, by the index of the segment that holds them."""
    found: dict[int | None, list[tuple[int, int]]] = {}
    for name in names:
        place = name.place(note)
        found.setdefault(note.segment_of(place[0]), []).append(place)
    return found


def find_candidates(note: ReadNote, finder: CandidateFinder, taken: set[int], own_words: frozenset[str]) -> list[Name]:
    """Return the unlisted names of a note, in order, without our own and those of persons that it introduces as such.

    Args:
        note: The note.
        finder: Finds them.
        taken: Indices of words that belong to catalogue names already.
        own_words: Folded words of our own names: "Chart", where we sell "Acme Chart", is ours.
    """
    persons = persons_in(note.words, note.text)
    return [
        Name(c.first, c.last)
        for segment in note.segments
        if (inside := note.words_between(segment.start, segment.end))
        for c in finder.find_among(note.words, note.text, segment, taken, inside)
        if persons.isdisjoint(folded := {w.folded for w in note.words[c.first : c.last]}) and not folded <= own_words
    ]

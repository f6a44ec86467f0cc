"""Themes: groups of passages about one matter, in both languages, with an identity that outlives each fit.

In a fit the living themes go on with the passages that are near them, and new ones come only from what is left
(`models/theme_groups.py`), from a matter that newly comes (`models/theme_arrivals.py`), from a theme that has come to
hold two matters, or where none stands yet: so a theme keeps its meaning, and its passages keep their theme. However
many fits follow, a theme's centroid stays near the one that it began with (`NEAR_ORIGIN`). Between fits a passage gets
the nearest theme.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.encoder import from_bytes, load_encoder, to_bytes
from models.lexicon import load_lexicon
from models.theme_arrivals import find_arrivals
from models.theme_groups import SAME_THEME, group_passages
from models.theme_labels import Heard, Phrase, keywords_of, name_by_phrase, name_themes, rank_nouns, rank_phrases
from models.theme_nouns import used_nouns
from models.theme_phrases import PhraseBook, read_phrases
from models.theme_space import ThemeSpace, Vectors, centred, load_theme_space, unit
from models.theme_subjects import SubjectGuess
from models.types import FittedTheme, Language, LivingTheme, ThemeFit, ThemeMatch, ThemePassage
from models.word_classes import load_word_classes

VERSION = "themes-8"
ARTEFACTS = Path(__file__).parent / "artefacts"

MIN_SIMILARITY = 0.15
"""Least cosine of a passage with its theme's centroid."""
CLEAR_SIMILARITY = 0.25
"""The same, of a passage that is hardly about anything that themes are made of."""
LEAST_HEEDED = 0.02
"""How much a passage that is hardly about such a thing is heeded in naming its theme; others as likely as they are."""
MIN_CHANCE = 0.1
"""Chance of being about such a thing from which a passage helps to make new themes."""
MOSTLY = 0.5
"""Least share of passages with that chance for it to be heeded: of text unlike sales notes, it knows nothing."""
HOLD_SIMILARITY = 0.2
"""Cosine from which a fit leaves a passage with a living theme; what is further from all may make new ones."""
TELLING = 0.25
"""Mean of that chance from which a group is a theme: below, its passages are headings, courtesies and small talk."""
TIGHT = 0.2
"""Mean cosine of each passage with the others of its group from which a group beside living themes is a theme."""
CLOSE = 0.25
"""The same, from which a group is a theme though nothing names it. The passages of one that ends go to the themes
nearest to them: a higher bound ends more groups, but drowns what has newly come among their passages."""
NEAR_ORIGIN = 0.8
"""Least cosine of a theme's centroid with the one that it began with: themes follow their passages, but don't slide."""
STAY = 0.05
"""Cosine by which another theme must be nearer than the one that a passage has, for a fit to move it."""
HALF = 0.5
"""Share of a living theme's passages from which a matter that arrives is that theme."""
TWO_MATTERS = 24
"""Passages from which a theme is looked at for a second matter."""
INSIDE_MATTERS = 0.85
"""Share of the links of near passages that stay inside the matters of a theme that holds several."""
MATTER_SHARE = 0.25
"""Share of a theme's passages that makes a matter of its own."""
N_REPRESENTATIVES = 3


def assign(
    vectors: Sequence[bytes], themes: Sequence[LivingTheme], held: Sequence[str] = ()
) -> list[ThemeMatch | None]:
    """Find the theme of each passage.

    Args:
        vectors: In the form of `Passage.theme_vector`.
        themes: The living themes.
        held: Key of the theme that each passage has, or empty: it stays unless another is clearly nearer, as in a fit.

    Returns:
        One entry per passage, in order: the nearest theme with its cosine in [`MIN_SIMILARITY`, 1], or None where every
        theme is further away, or not clearly near to what is hardly about anything.
    """
    if not themes or not vectors:
        return [None] * len(vectors)
    places = from_bytes(vectors)
    keys = [theme.key for theme in themes]
    nearest, similarities = _nearest(places, from_bytes([theme.centroid for theme in themes]), held, keys)
    return [
        ThemeMatch(themes[theme].key, float(similarity)) if near else None
        for theme, similarity, near in zip(nearest, similarities, _is_near(places, similarities), strict=True)
    ]


@lru_cache(maxsize=1)
def _space() -> ThemeSpace:
    return load_theme_space(ARTEFACTS / "themes")


def _chances(vectors: Vectors) -> Vectors:
    return _space().chances(vectors)


def _tell_something(vectors: Vectors) -> NDArray[np.bool_]:
    """Return which passages are about something that themes are made of."""
    telling: NDArray[np.bool_] = _chances(vectors) >= MIN_CHANCE
    return telling


def _is_of_sales(vectors: Vectors) -> bool:
    """Tell whether passages are mostly such as the chance of being about something is known of."""
    return bool(_tell_something(vectors).mean() >= MOSTLY)


def _is_near(vectors: Vectors, similarities: Vectors) -> NDArray[np.bool_]:
    """Return which passages are near enough to their nearest theme."""
    near: NDArray[np.bool_] = similarities >= np.where(_tell_something(vectors), MIN_SIMILARITY, CLEAR_SIMILARITY)
    return near


def _nearest(
    vectors: Vectors, centroids: Vectors, held: Sequence[str], keys: Sequence[str | None]
) -> tuple[NDArray[np.intp], Vectors]:
    """Return the nearest centroid and its cosine; a passage that holds to one by its key stays unless clearly nearer.

    Args:
        held: Key of the theme that each passage has; empty, or no entries, where it has none.
        keys: Key of each centroid's theme; None of a new one.
    """
    similarities = vectors @ centroids.T
    drawn = similarities.copy()
    columns = {key: column for column, key in enumerate(keys) if key}
    for row, key in enumerate(held):
        if key in columns:
            drawn[row, columns[key]] += STAY
    nearest = drawn.argmax(axis=1)
    return nearest, similarities[np.arange(len(nearest)), nearest]


def _themes_had(passages: Sequence[ThemePassage]) -> list[str]:
    return [passage.theme for passage in passages]


def fit(passages: Sequence[ThemePassage], living: Sequence[LivingTheme]) -> ThemeFit:
    """Group passages into themes and recognise the living ones among them.

    The same passages give the same themes in whatever order they come.

    Args:
        passages: All passages; of many, an even sample is grouped and the rest assigned.
        living: The themes of the fit before.
    """
    if not passages:
        return ThemeFit(VERSION)
    order = sorted(range(len(passages)), key=lambda i: (passages[i].text, passages[i].account, passages[i].vector))
    vectors = from_bytes([p.theme_vector for p in passages])
    groups = _apart(_themes(passages, order, vectors, living))
    while True:
        found, nameless = _settled(passages, order, vectors, groups)
        kept = [group for group, nothing in zip(groups, nameless, strict=True) if group.lasts or not nothing]
        if len(kept) == len(groups) or not _is_of_sales(vectors):  # of other text, subjects know nothing
            return found
        groups = kept  # what has nothing in common is no theme


@dataclass(frozen=True, slots=True)
class _Group:
    """The passages that make a theme.

    Attributes:
        key: Of the living theme that it continues; None of a new one.
        lasts: Whether it stays a theme even if nothing names it: it continues one, has newly come, or is close.
    """

    key: str | None
    members: list[int]
    lasts: bool
    centroid: Vectors


def _settled(
    passages: Sequence[ThemePassage], order: Sequence[int], vectors: Vectors, groups: Sequence[_Group]
) -> tuple[ThemeFit, list[bool]]:
    """Give each passage the nearest theme, and name the themes; tell also which of them nothing names."""
    if not groups:
        return ThemeFit(VERSION, (), (None,) * len(passages), (None,) * len(passages)), []
    keys = [group.key for group in groups]
    nearest, similarities = _nearest(
        vectors, np.stack([group.centroid for group in groups]), _themes_had(passages), keys
    )
    near = _is_near(vectors, similarities)
    members = [[i for i in order if near[i] and nearest[i] == theme] for theme in range(len(groups))]
    labels, keywords, nameless = _describe(passages, order, members, vectors)
    chosen = _representatives(passages, members, similarities, _tell_something(vectors))
    themes = [
        FittedTheme(g.key, labels[t], keywords[t], to_bytes(g.centroid[None])[0], chosen[t])
        for t, g in enumerate(groups)
    ]
    fitted = ThemeFit(
        VERSION,
        tuple(themes),
        tuple(int(theme) if n else None for theme, n in zip(nearest, near, strict=True)),
        tuple(float(s) if n else None for s, n in zip(similarities, near, strict=True)),
    )
    return fitted, nameless


def _centroid(vectors: Vectors) -> Vectors:
    mean: Vectors = vectors.mean(axis=0)
    return mean / max(float(np.linalg.norm(mean)), 1e-9)


def _near_origin(centroid: Vectors, origin: Vectors) -> Vectors:
    """Turn a centroid towards where its theme began, as far as it must."""
    cosine = float(centroid @ origin)
    if cosine >= NEAR_ORIGIN:
        return centroid
    side = centroid - cosine * origin
    side /= max(float(np.linalg.norm(side)), 1e-9)
    turned: Vectors = (NEAR_ORIGIN * origin + (1 - NEAR_ORIGIN**2) ** 0.5 * side).astype(np.float32)
    return turned


def _themes(
    passages: Sequence[ThemePassage], order: Sequence[int], vectors: Vectors, living: Sequence[LivingTheme]
) -> list[_Group]:
    """Return the passages that make each theme, with the key of the living theme that it continues."""
    arrivals = _new_arrivals(passages, order, vectors, living)
    taken = {i for arrival in arrivals for i in arrival}
    held, left = _held(passages, [i for i in order if i not in taken], vectors, living)
    themes = [_Group(None, arrival, True, _centroid(vectors[arrival])) for arrival in arrivals]
    for theme, members in zip(living, held, strict=True):
        if members:
            first, *others = _matters(passages, vectors, members)
            origin = _centroid(from_bytes([theme.origin or theme.centroid]))
            themes.append(_Group(theme.key, first, True, _near_origin(_centroid(vectors[first]), origin)))
            themes += [_Group(None, other, False, _centroid(vectors[other])) for other in others]
    new = _new_groups(passages, vectors, left)
    if living:  # what is left of many matters makes groups too, but loose ones
        new = [group for group in new if _tightness(vectors[group]) >= TIGHT]
    return themes + [
        _Group(None, group, _tightness(vectors[group]) >= CLOSE, _centroid(vectors[group])) for group in new
    ]


def _new_groups(passages: Sequence[ThemePassage], vectors: Vectors, left: Sequence[int]) -> list[list[int]]:
    """Group passages that no living theme holds; of sales notes, what is about nothing makes no groups."""
    lean = _space().subjects.leanings
    if not _is_of_sales(vectors):
        return group_passages(passages, vectors, left, lean)
    chances = _chances(vectors)
    found = group_passages(passages, vectors, [i for i in left if chances[i] >= MIN_CHANCE], lean)
    return [group for group in found if chances[group].mean() >= TELLING]


def _new_arrivals(
    passages: Sequence[ThemePassage], order: Sequence[int], vectors: Vectors, living: Sequence[LivingTheme]
) -> list[list[int]]:
    """Return the passages of matters that have newly come and that no living theme mostly consists of."""
    sizes = Counter(passage.theme for passage in passages)
    keys = {theme.key for theme in living}
    new = []
    for arrival in find_arrivals(passages, order, vectors):
        key, size = Counter(passages[i].theme for i in arrival).most_common(1)[0]
        if key not in keys or size < HALF * sizes[key]:
            new.append(arrival)
    return new


def _tightness(vectors: Vectors) -> float:
    """Return the mean cosine of vectors with the centroid of the others; of at least two."""
    rest = vectors.sum(axis=0) - vectors
    lengths = np.maximum(np.linalg.norm(rest, axis=1), 1e-9)
    return float(((vectors * rest).sum(axis=1) / lengths).mean())


def _held(
    passages: Sequence[ThemePassage], order: Sequence[int], vectors: Vectors, living: Sequence[LivingTheme]
) -> tuple[list[list[int]], list[int]]:
    """Return the passages near each living theme, and those near none."""
    held: list[list[int]] = [[] for _ in living]
    if not living or not order:
        return held, list(order)
    centroids = from_bytes([theme.centroid for theme in living])
    nearest, similarities = _nearest(vectors, centroids, _themes_had(passages), [theme.key for theme in living])
    left: list[int] = []
    for i in order:
        (held[nearest[i]] if similarities[i] >= HOLD_SIMILARITY else left).append(i)
    return held, left


def _matters(passages: Sequence[ThemePassage], vectors: Vectors, members: list[int]) -> list[list[int]]:
    """Cut a theme that holds several matters, the largest first; others stay whole."""
    if len(members) < TWO_MATTERS:
        return [members]
    found = group_passages(passages, vectors, members, _space().subjects.leanings, INSIDE_MATTERS)
    matters = [group for group in found if len(group) >= MATTER_SHARE * len(members)]
    return matters if len(matters) > 1 else [members]


def _apart(themes: Sequence[_Group]) -> list[_Group]:
    """Return the themes without those that are the same as one that goes before: continued ones first, then large."""
    kept: list[_Group] = []
    for theme in sorted(themes, key=lambda theme: (theme.key is None, -len(theme.members))):
        if all(float(theme.centroid @ other.centroid) < SAME_THEME for other in kept):
            kept.append(theme)
    return kept


def _representatives(
    passages: Sequence[ThemePassage],
    members: Sequence[Sequence[int]],
    similarities: Vectors,
    telling: NDArray[np.bool_],
) -> list[tuple[int, ...]]:
    """Return the most typical passages of each theme, telling ones first, of different accounts where it can be."""
    chosen = []
    for theme in members:
        typical = sorted(theme, key=lambda i: (not telling[i], -similarities[i]))
        one_each = {passages[i].account: i for i in reversed(typical)}.values()
        first = [i for i in typical if i in one_each]
        rest = [i for i in typical if i not in first]
        chosen.append(tuple([*first, *rest][:N_REPRESENTATIVES]))
    return chosen


def _describe(
    passages: Sequence[ThemePassage], order: Sequence[int], members: Sequence[Sequence[int]], vectors: Vectors
) -> tuple[list[dict[str, str]], list[dict[str, list[str]]], list[bool]]:
    """Name each theme in both languages, by its subject and by its own phrases; list its keywords.

    The third tells of which themes neither a subject nor a phrase is known.
    """
    encode = load_encoder(ARTEFACTS / "encoder").encode
    classes, lexicon = load_word_classes(ARTEFACTS / "classes"), load_lexicon(ARTEFACTS / "lexicon")
    chances = np.maximum(_chances(vectors), LEAST_HEEDED)
    heard = Heard(_from_the_middle(passages), chances, [p.account for p in passages], members)
    ranked: dict[str, list[list[Phrase]]] = {}
    keywords: list[dict[str, list[str]]] = [{} for _ in members]
    books: list[dict[Language, tuple[PhraseBook, list[tuple[int, str]]]]] = [{} for _ in members]
    for language in (Language.EN, Language.FR):
        places = {i: place for place, i in enumerate(i for i in order if passages[i].language is language)}
        book = read_phrases([passages[i].text for i in places], language, classes[language], lexicon)
        inside = [[(places[i], passages[i].account) for i in theme if i in places] for theme in members]
        ranked[language] = rank_phrases(book, inside, heard, encode)
        for each, words, found, theme in zip(books, keywords, ranked[language], inside, strict=True):
            each[language] = (book, theme)
            words[language] = keywords_of(found)
    nouns = rank_nouns([used_nouns(each) for each in books], heard, encode)
    guesses, own = _guesses(members, vectors, chances), name_by_phrase(ranked, nouns)
    nameless = [guess is None and phrase is None for guess, phrase in zip(guesses, own, strict=True)]
    return name_themes(guesses, own), keywords, nameless


def _from_the_middle(passages: Sequence[ThemePassage]) -> Vectors:
    """Return where the sentence vectors of passages lie from the middle of their language, of unit length."""
    meanings = from_bytes([p.vector for p in passages])
    languages = np.array([str(p.language) for p in passages])
    return unit(centred(meanings, languages), meanings)


def _guesses(members: Sequence[Sequence[int]], vectors: Vectors, chances: Vectors) -> list[SubjectGuess | None]:
    """Return what each theme is about, as its subjects are known."""
    subjects = _space().subjects
    usual = np.average(subjects.leanings(vectors), axis=0, weights=chances)
    return [subjects.guess(vectors[inside], chances[inside], usual) for inside in map(list, members)]

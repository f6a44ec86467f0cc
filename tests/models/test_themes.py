"""Fits and assignments on made vectors: groups, order, identity, small and odd input."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.encoder import from_bytes, load_encoder, to_bytes
from models.theme_groups import MIN_SIZE
from models.theme_subjects import SubjectGuess
from models.themes import ARTEFACTS, MIN_CHANCE, MIN_SIMILARITY, NEAR_ORIGIN, assign, fit
from models.types import THEME_DIMS, FittedTheme, Language, LivingTheme, ThemePassage

N_DIMS = 384
MATTERS = {
    "hosting": ("patient data hosting abroad", "hébergement des données à l'étranger"),
    "delays": ("delivery weeks for readers", "délai de livraison des lecteurs"),
    "renewal": ("tacit renewal clause", "clause de reconduction tacite"),
}


@pytest.fixture(autouse=True)
def all_tell_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made vectors lie where no real passage does; none has a subject."""
    monkeypatch.setattr("models.themes._tell_something", lambda vectors: np.ones(len(vectors), dtype=bool))
    monkeypatch.setattr("models.themes._guesses", lambda members, *_: [None] * len(members))
    monkeypatch.setattr("models.themes._is_of_sales", lambda vectors: False)


def passages(each: int = 8, seed: int = 5) -> list[ThemePassage]:
    """Return passages of three matters in both languages: a matter's vectors lie around one axis."""
    rng = np.random.default_rng(seed)
    made = []
    for axis, (english, french) in enumerate(MATTERS.values()):
        for i in range(2 * each):
            language, words = ((Language.EN, english), (Language.FR, french))[i % 2]
            vector = rng.normal(0, 0.02, THEME_DIMS)
            vector[axis] += 1
            vector = (vector / np.linalg.norm(vector)).astype(np.float32)
            made.append(ThemePassage(f"{words} {i}", language, *described(vector), f"account-{i % 5}"))
    return made


def described(place: NDArray[np.float32]) -> list[bytes]:
    """Return a vector and a theme vector that lie along the same axes."""
    wide = np.zeros(N_DIMS, dtype=np.float32)
    wide[: len(place)] = place
    return [to_bytes(wide[None])[0], to_bytes(place[None])[0]]


def living(themes: tuple[FittedTheme, ...]) -> list[LivingTheme]:
    return [LivingTheme(f"theme-{i}", theme.centroid) for i, theme in enumerate(themes)]


def test_each_matter_is_one_theme_in_both_languages() -> None:
    made = passages()
    found = fit(made, [])
    assert sorted(Counter(found.assignments).values()) == [16, 16, 16]
    assert len({found.assignments[i] for i in range(16)}) == 1
    assert all(similarity is not None and similarity >= MIN_SIMILARITY for similarity in found.similarities)


def test_labels_come_from_the_passages_of_each_language_and_differ() -> None:
    made = passages()
    real = to_bytes(load_encoder(ARTEFACTS / "encoder").encode([passage.text for passage in made]))
    found = fit([replace(passage, vector=vector) for passage, vector in zip(made, real, strict=True)], [])
    labels = [theme.label for theme in found.themes]
    english, french = (" / ".join(words[side] for words in MATTERS.values()) for side in (0, 1))
    for label in labels:
        assert label["en"].lower() in english
        assert label["fr"].lower() in french or label["fr"] == label["en"]  # where nothing means the same
    assert any(label["fr"] != label["en"] for label in labels)
    assert all(len({label[language] for label in labels}) == 3 for language in ("en", "fr"))


def test_representatives_are_from_different_accounts() -> None:
    made = passages()
    for theme in fit(made, []).themes:
        assert len({made[i].account for i in theme.representatives}) == 3


def test_the_order_of_passages_does_not_matter() -> None:
    made = passages()
    shuffled = made[:]
    random.Random(3).shuffle(shuffled)
    first, second = fit(made, []), fit(shuffled, [])
    assert [(t.label, t.centroid) for t in first.themes] == [(t.label, t.centroid) for t in second.themes]
    assert [second.assignments[shuffled.index(p)] for p in made] == list(first.assignments)


def test_a_refit_keeps_the_keys_and_bears_what_is_new() -> None:
    first = fit(passages(), [])
    extra = np.zeros((1, THEME_DIMS), dtype=np.float32)
    extra[0, 9] = 1
    new = [
        ThemePassage(f"badges on phones {i}", Language.EN, *described(extra[0]), f"account-{i}")
        for i in range(2 * MIN_SIZE)
    ]
    second = fit([*passages(seed=6), *new], living(first.themes))
    assert sorted(theme.key or "new" for theme in second.themes) == ["new", "theme-0", "theme-1", "theme-2"]
    born = next(number for number, theme in enumerate(second.themes) if theme.key is None)
    assert second.assignments.count(born) == len(new)


def test_a_theme_that_holds_several_matters_is_cut_and_one_of_them_keeps_its_key() -> None:
    wide = np.zeros((1, THEME_DIMS), dtype=np.float32)
    wide[0, : len(MATTERS)] = len(MATTERS) ** -0.5
    found = fit(passages(), [LivingTheme("theme-0", to_bytes(wide)[0])])
    assert sorted(theme.key or "new" for theme in found.themes) == ["new", "new", "theme-0"]
    assert sorted(Counter(found.assignments).values()) == [16, 16, 16]


def test_a_theme_does_not_slide_far_from_where_it_began() -> None:
    axes = np.eye(2, THEME_DIMS, dtype=np.float32)
    origin, other = to_bytes(axes)
    theme = LivingTheme("theme-0", origin)
    for place in (axes.sum(axis=0) / np.sqrt(2), axes[1]):  # what is near it is ever less what it was
        said = [ThemePassage(f"clause {i}", Language.EN, *described(place), f"account-{i}") for i in range(8)]
        (found,) = fit(said, [theme]).themes
        assert found.key == "theme-0"
        theme = LivingTheme("theme-0", found.centroid, origin)
        assert float(from_bytes([found.centroid])[0] @ axes[0]) == pytest.approx(NEAR_ORIGIN, abs=1e-3)
    (free,) = fit(said, [LivingTheme("theme-0", other)]).themes
    assert free.centroid == other


def test_themes_that_have_become_one_are_one() -> None:
    first, *_ = fit(passages(), []).themes
    twins = [LivingTheme("theme-0", first.centroid), LivingTheme("theme-1", first.centroid)]
    keys = [theme.key for theme in fit(passages(), twins).themes]
    assert len({"theme-0", "theme-1"} & set(keys)) == 1
    assert len(keys) == len(MATTERS)


def test_fits_in_a_row_keep_themes_and_passages() -> None:
    made = passages()
    themes: list[LivingTheme] = []
    before: list[str] = []
    for n in (24, 36, 48):
        found = fit([p for i, p in enumerate(made) if i % 16 < n // 3], themes)
        themes = [LivingTheme(t.key or f"theme-{i}", t.centroid) for i, t in enumerate(found.themes)]
        assert [theme.key for theme in themes] == (before or [theme.key for theme in themes])
        before = [theme.key for theme in themes]
    assert len(before) == len(MATTERS)


def test_a_passage_gets_the_nearest_theme_or_none() -> None:
    themes = living(fit(passages(), []).themes)
    near = passages(seed=8)[0].theme_vector
    far = np.zeros((1, THEME_DIMS), dtype=np.float32)
    far[0, 100] = 1
    first, second = assign([near, to_bytes(far)[0]], themes)
    assert first is not None
    assert first.similarity > 0.9
    assert second is None


def test_what_one_account_says_is_no_theme() -> None:
    alone = [replace(p, account="only") for p in passages()]
    assert fit(alone, []).themes == ()


@pytest.mark.parametrize("n", [0, 1, MIN_SIZE, 2 * MIN_SIZE - 1])
def test_few_passages_have_no_themes(n: int) -> None:
    found = fit(passages()[:n], [])
    assert found.themes == ()
    assert found.assignments == (None,) * n


def test_copies_of_one_sentence_are_at_most_one_theme() -> None:
    one = passages()[0]
    copies = [replace(one, account=f"account-{i % 3}") for i in range(300)]
    assert len(fit(copies, []).themes) == 1


def test_passages_without_known_words_have_no_theme() -> None:
    empty = described(np.zeros(THEME_DIMS, dtype=np.float32))
    assert fit([ThemePassage("🙂", Language.UNKNOWN, *empty, f"a{i}") for i in range(20)], []).themes == ()


def test_nothing_to_assign_and_nothing_to_assign_to() -> None:
    assert assign([], living(fit(passages(), []).themes)) == []
    assert assign([passages()[0].theme_vector], []) == [None]


def test_what_is_hardly_about_anything_must_be_clearly_near(monkeypatch: pytest.MonkeyPatch) -> None:
    made = passages()
    themes = living(fit(made, []).themes)
    aside = np.zeros(THEME_DIMS, dtype=np.float32)
    aside[[0, 9]] = 0.2, 0.98
    (_, vector) = described(aside)
    assert assign([vector], themes) != [None]
    monkeypatch.setattr("models.themes._tell_something", lambda vectors: np.zeros(len(vectors), dtype=bool))
    assert assign([vector], themes) == [None]
    assert assign([made[0].theme_vector], themes) != [None]


def of_sales(monkeypatch: pytest.MonkeyPatch, chance: NDArray[np.float32]) -> None:
    """Have passages be of sales notes: how likely those of each matter are about something; all but the last named."""
    told = np.eye(len(chance), THEME_DIMS, dtype=np.float32)

    def chances(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        likely: NDArray[np.float32] = chance[(vectors @ told.T).argmax(axis=1)]
        return likely

    monkeypatch.setattr("models.themes._chances", chances)
    monkeypatch.setattr("models.themes._tell_something", lambda vectors: chances(vectors) >= MIN_CHANCE)
    monkeypatch.setattr("models.themes._is_of_sales", lambda vectors: True)


@pytest.mark.parametrize(("last", "n_themes"), [(0.9, 3), (0.2, 2), (0.05, 2)], ids=["all", "hardly", "nothing"])
def test_what_is_hardly_about_anything_makes_no_theme(
    monkeypatch: pytest.MonkeyPatch, last: float, n_themes: int
) -> None:
    of_sales(monkeypatch, np.array([0.9, 0.9, last], dtype=np.float32))
    guess = SubjectGuess({"en": "Prices", "fr": "Prix"}, one=True, sure=True)
    monkeypatch.setattr("models.themes._guesses", lambda members, *_: [guess] * len(members))
    assert len(fit(passages(), []).themes) == n_themes


def test_what_nothing_names_is_no_theme_unless_it_is_close_or_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    made = passages()
    before = living(fit(made, []).themes)
    of_sales(monkeypatch, np.full(3, 0.9, dtype=np.float32))
    monkeypatch.setattr("models.themes.name_by_phrase", lambda ranked, nouns: [None] * len(nouns))
    assert len(fit(made, []).themes) == 3
    monkeypatch.setattr("models.themes.CLOSE", 1.1)
    assert fit(made, []).themes == ()
    assert [theme.key for theme in fit(made, before).themes] == ["theme-0", "theme-1", "theme-2"]


def test_text_unlike_sales_notes_makes_themes_of_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.themes._tell_something", lambda vectors: np.zeros(len(vectors), dtype=bool))
    assert len(fit(passages(), []).themes) == 3

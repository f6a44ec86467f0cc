"""What the tests of the language side share: a small lexicon, and the shipped analyzer, loaded once."""

from __future__ import annotations

import pytest

from models.analyzer import ARTEFACTS, NoteReader, load_analyzer
from models.lexicon import Lexicon, load_lexicon


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    """The shipped word lists."""
    return load_lexicon(ARTEFACTS / "lexicon")


@pytest.fixture(scope="session")
def analyzer() -> NoteReader:
    """The shipped analyzer."""
    return load_analyzer()

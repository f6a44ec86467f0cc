"""Errors of the language side.

ModelError
├── ArtefactMissing   a file of an artefact is not there; says which make target builds it
├── ArtefactDamaged   a file differs from the manifest
└── UnreadableNote    one note can't be analysed; the rest of the batch can
"""


class ModelError(Exception):
    """Base of all errors raised by `models`. Messages never hold a note's text."""


class ArtefactMissing(ModelError):
    """An artefact's file is missing."""


class ArtefactDamaged(ModelError):
    """An artefact's file is not the one that its manifest describes."""


class UnreadableNote(ModelError):
    """A single note can't be analysed."""

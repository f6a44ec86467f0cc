"""Small talk: passages that say nothing of what customers need, as thanks, the weather, dates, the road, papers sent.

Told by where a passage lies in the space of themes (`models/theme_space.py`); `training/small_talk.py` learns it, with
a bound at which hardly a passage that says something is taken for small talk: that costs more than a kept greeting.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from models.manifest import verified_manifest

SMALL_TALK_FILE = "small_talk.safetensors"


@dataclass(frozen=True, slots=True)
class SmallTalk:
    """Tells small talk.

    Attributes:
        weights: Of the directions of the space of themes, (THEME_DIMS,).
        bound: From which weighted sum a passage is small talk.
    """

    weights: NDArray[np.float32]
    bound: float

    def tell(self, vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return which passages are small talk; what lies nowhere is not.

        Args:
            vectors: Their theme vectors, (n, THEME_DIMS).
        """
        small: NDArray[np.bool_] = vectors.any(axis=1) & (vectors @ self.weights > self.bound)
        return small


def load_small_talk(folder: Path) -> SmallTalk:
    """Load it.

    Raises:
        ArtefactMissing: If a file is not there.
        ArtefactDamaged: If a file is not the one that the manifest describes.
    """
    verified_manifest(folder)
    stored = load_file(folder / SMALL_TALK_FILE)
    return SmallTalk(stored["weights"].astype(np.float32), float(stored["bound"][0]))

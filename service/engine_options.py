"""What of the settings queries ask for: it goes with the engine, so that no query has to be handed the settings."""

from __future__ import annotations

from typing import Any

from service.insights.weights import OPTION
from service.settings import Settings
from service.sources.record_links import CONFIGURED
from service.thresholds import OPTION as THRESHOLDS


def engine_options(settings: Settings) -> dict[str, Any]:
    """Return the execution options of an engine: the points of a score's parts, connections, thresholds."""
    return {
        OPTION: settings.ranking_weights,
        CONFIGURED: settings.configured_connections,
        THRESHOLDS: settings.thresholds,
    }

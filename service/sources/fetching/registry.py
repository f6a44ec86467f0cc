"""Every source that can be fetched from, a line each."""

from __future__ import annotations

from service.sources.fetching import hubspot
from service.sources.fetching.contract import Fetcher

FETCHERS: dict[str, Fetcher] = {fetcher.source: fetcher for fetcher in (hubspot.FETCHER,)}

"""Every source that can be fetched from, a line each."""

from __future__ import annotations

from service.sources.fetching import gong, hubspot, pipedrive, zoho
from service.sources.fetching.contract import Fetcher

FETCHERS: dict[str, Fetcher] = {
    fetcher.source: fetcher
    for fetcher in (
        hubspot.FETCHER,
        gong.FETCHER,
        zoho.FETCHER,
        pipedrive.FETCHER,  # in the order in which they are shown
    )
}

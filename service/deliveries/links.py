"""Addresses of pages, for those who read of them elsewhere."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from service.filters import Period
from service.insights.measures import About
from service.settings import Settings
from service.sources.intake import public_url


def item_link(settings: Settings, about: About, item_id: str, period: Period | None = None) -> str:
    """Return the address of an item's page, of a period where one is given."""
    days = f"?{urlencode({'from': period.start, 'to': period.end})}" if period else ""
    return f"{public_url(settings)}/insights/{about}/{quote(item_id, safe='')}{days}"

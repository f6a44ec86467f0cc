"""How long notes are kept, on the page of the sources: what a rule would erase is shown before it is set."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from service.dependencies import Now, get_engine
from service.errors import InvalidInput
from service.pages.answers import PageRoute, render
from service.pages.sign_in import AdminVisitor, FormFields
from service.retention.schemas import RetentionChange
from service.retention.setting import change_rule

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.post("/sources/retention")
def post_retention(request: Request, fields: FormFields, now: Now, visitor: AdminVisitor) -> Response:
    """Show what a rule would erase; confirmed, set it."""
    days = fields.get("days", "").strip()
    try:
        change = RetentionChange(
            source=fields.get("source", "").strip() or None,
            days=int(days) if days else None,
            confirm=fields.get("confirm") == "yes",
        )
    except (ValidationError, ValueError):
        raise InvalidInput("days: a whole number from 1 to 36500, or nothing to keep notes for ever.") from None
    told = change_rule(get_engine(request), change, visitor.name, now)
    if told.confirmed:
        return RedirectResponse("/sources#retention", 303)
    return render(request, "retention.html", change=change, past=told.past)

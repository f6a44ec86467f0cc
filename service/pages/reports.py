"""The pages of the monthly reports."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import Response

from service.dependencies import ReadSession, get_engine
from service.errors import NotFound
from service.field_words import MONTH
from service.insights.schemas import Label
from service.pages.answers import PageRoute, render
from service.pages.sign_in import Visitor
from service.pages.words import choose_language
from service.reports import queries
from service.reports.editions import edition_output, read_content
from service.reports.page import page_context, templates
from service.reports.routes import found_edition
from service.reports.schemas import Accounts, Edition, Format, ReportLanguage
from service.reports.sentences import month_label

SHOWN_REPORTS = 200
router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/reports")
def get_reports_page(request: Request, session: ReadSession, _visitor: Visitor) -> Response:
    """List the latest edition of each month."""
    rows, _ = queries.list_reports(session, limit=SHOWN_REPORTS, after=0)
    latest: dict[str, Edition] = {}
    for row in rows:
        latest.setdefault(row.month, edition_output(row))
    language = ReportLanguage(choose_language(request))
    editions = [(edition, month_label(edition.month), _files(edition, language)) for edition in latest.values()]
    return render(request, "reports.html", editions=editions)


@router.get("/reports/{month}")
def get_report_page(month: str, request: Request, _visitor: Visitor) -> Response:
    """Show a month's report."""
    number = request.query_params.get("edition", "")
    asked = int(number) if re.fullmatch(r"[1-9][0-9]{0,4}", number) else None
    if not re.fullmatch(MONTH, month) or (number and asked is None):
        raise NotFound("There is no such report.")
    engine = get_engine(request)
    row = found_edition(engine, month, asked)
    accounts = Accounts.HIDDEN if request.query_params.get("accounts") == Accounts.HIDDEN else Accounts.SHOWN
    language = ReportLanguage(choose_language(request))
    edition = edition_output(row)
    context = page_context(read_content(row, accounts), edition, language)
    other = Accounts.SHOWN if accounts is Accounts.HIDDEN else Accounts.HIDDEN
    label: Label = month_label(month)
    return render(
        request,
        "report.html",
        month=label,
        body=Markup(templates.get_template("body.html").render(**context)),  # noqa: S704  # escaped by its template
        files=[] if edition.withdrawn_at else _files(edition, language, accounts),
        edition=edition,
        other=other,
        other_address=f"?{urlencode({'accounts': other, 'edition': row.edition})}",
    )


def _files(edition: Edition, language: ReportLanguage, accounts: Accounts = Accounts.SHOWN) -> list[tuple[str, str]]:
    """Return the names of an edition's files and their addresses."""
    query = urlencode({"edition": edition.edition, "language": language, "accounts": accounts})
    return [(form.upper(), f"/v1/reports/{edition.month}.{form}?{query}") for form in Format]

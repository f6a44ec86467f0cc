"""The forms of a report: one function a form, from frozen content to bytes."""

from __future__ import annotations

from collections.abc import Callable

from service.reports.page import render_html
from service.reports.pdf import render_pdf
from service.reports.schemas import Edition, Format, ReportContent, ReportLanguage
from service.reports.slides import render_slides
from service.reports.spreadsheet import render_spreadsheet

MEDIA_TYPES = {
    Format.HTML: "text/html; charset=utf-8",
    Format.PDF: "application/pdf",
    Format.PPTX: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_RENDERERS: dict[Format, Callable[[ReportContent, Edition, ReportLanguage], bytes]] = {
    Format.HTML: render_html,
    Format.PDF: render_pdf,
    Format.PPTX: render_slides,
    Format.XLSX: render_spreadsheet,
}


def render(content: ReportContent, edition: Edition, format_: Format, language: ReportLanguage) -> bytes:
    """Render a report."""
    return _RENDERERS[format_](content, edition, language)

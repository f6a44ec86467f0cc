"""The forms of a report: one function a form, from frozen content to bytes."""

from __future__ import annotations

from collections.abc import Callable

from service.reports.schemas import Edition, Format, ReportContent, ReportLanguage

_Renderer = Callable[[ReportContent, Edition, ReportLanguage], bytes]

MEDIA_TYPES = {
    Format.HTML: "text/html; charset=utf-8",
    Format.PDF: "application/pdf",
    Format.PPTX: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def render(content: ReportContent, edition: Edition, format_: Format, language: ReportLanguage) -> bytes:
    """Render a report."""
    return _renderer(format_)(content, edition, language)


def _renderer(format_: Format) -> _Renderer:
    """Return what renders a form; each loads a library, and a process that renders none has no use for them."""
    if format_ is Format.HTML:
        from service.reports.page import render_html

        return render_html
    if format_ is Format.PDF:
        from service.reports.pdf import render_pdf

        return render_pdf
    if format_ is Format.PPTX:
        from service.reports.slides import render_slides

        return render_slides
    from service.reports.spreadsheet import render_spreadsheet

    return render_spreadsheet

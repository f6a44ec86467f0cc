"""A report as PDF, set by Typst: tagged, with its own fonts, the same bytes each time."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import typst

from service.reports.outline import Kind, Table, outline, written
from service.reports.page import figures
from service.reports.schemas import Edition, ReportContent, ReportLanguage
from service.reports.words import Phrases

_TEMPLATE = Path(__file__).parent / "templates" / "report.typ"


def _weights(table: Table, say: Phrases) -> list[int | None]:
    """Return how wide each column of words is beside the others: as its longest cell, within bounds; figures: none."""
    rows = written(table, say)
    return [
        min(24, max(11, *(len(row[place]) for row in rows), len(column.title))) if column.kind is Kind.TEXT else None
        for place, column in enumerate(table.columns)
    ]


def render_pdf(content: ReportContent, edition: Edition, language: ReportLanguage) -> bytes:
    """Render a report as PDF; what notes say goes in as data, never as markup."""
    say = Phrases(language)
    shown = outline(content, edition, language)
    sections = []
    for section in shown.sections:
        document = asdict(section)
        if section.table:
            document["table"] = {
                "titles": [column.title for column in section.table.columns],
                "words": [column.kind is Kind.TEXT for column in section.table.columns],
                "rows": written(section.table, say),
                "weights": _weights(section.table, say),
            }
        sections.append(document)
    data = {
        "language": language,
        "heading": say("title"),
        "title": shown.title,
        "month": shown.month[:1].upper() + shown.month[1:],
        "subtitle": shown.subtitle,
        "figures": figures(content, say),
        "sections": sections,
        "page": say("page"),
        "day": [content.as_of.year, content.as_of.month, content.as_of.day],
    }
    result: bytes = typst.compile(
        str(_TEMPLATE),
        format="pdf",
        root=str(_TEMPLATE.parent),
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        ignore_system_fonts=True,
        pdf_standards=["ua-1"],
        timestamp=int(content.as_of.timestamp()),
    )
    return result

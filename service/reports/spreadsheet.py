"""A report as a spreadsheet: a sheet a table, with native charts; what notes say is never a formula."""

from __future__ import annotations

import io
import re
from typing import Any

import xlsxwriter

from service.reports.outline import Chart, Column, Kind, Section, Table, outline
from service.reports.page import GROUPED
from service.reports.schemas import Edition, ReportContent, ReportLanguage, Value
from service.reports.words import Phrases

COLOURS = ("#12646A", "#B8562F", "#9AA7AD")
FORBIDDEN = re.compile(r"[\[\]:*?/\\']")
MAX_SHEET_NAME = 31
TEXT_WIDTH, FIGURE_WIDTH, LINE_WIDTH = 34, 13, 110
LINE_HEIGHT = 15  # points
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def render_spreadsheet(content: ReportContent, edition: Edition, language: ReportLanguage) -> bytes:
    """Render a report as XLSX."""
    say = Phrases(language)
    shown = outline(content, edition, language)
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, _OPTIONS)
    # the file's own dates are the report's
    book.set_properties({"title": shown.title, "author": "Binôme", "created": content.as_of.replace(tzinfo=None)})
    styles = _styles(book)
    taken: set[str] = set()
    for number, section in enumerate(shown.sections):
        sheet = book.add_worksheet(_sheet_name(section.title, taken))
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.write_string(0, 0, section.title if number else shown.title, styles["title"])
        sheet.set_row(0, 26)
        row = 2
        if not number:
            sheet.write_string(1, 0, shown.subtitle, styles["soft"])
        row = _write_lines(sheet, section, styles, row)
        if section.table:
            row = _write_table(sheet, section.table, styles, row)
        row = _write_quotes(sheet, section, styles, row + 1, say)
        if section.chart:
            _write_chart(book, sheet, section.chart, styles, row + 1)
    book.close()
    return target.getvalue()


def _styles(book: Any) -> dict[str, Any]:
    base: dict[str, Any] = {"font_name": "Calibri", "font_size": 11, "font_color": "#1C2A32", "valign": "top"}
    makes: dict[str, dict[str, Any]] = {
        "title": {"bold": True, "font_size": 16},
        "soft": {"font_color": "#5A6872"},
        "head": {"bold": True, "font_color": "#FFFFFF", "bg_color": "#12646A", "text_wrap": True, "valign": "vcenter"},
        "text": {"text_wrap": True, "bottom": 4, "bottom_color": "#D9E0E3"},
        "number": {"num_format": "#,##0", "bottom": 4, "bottom_color": "#D9E0E3"},
        "decimal": {"num_format": "#,##0.0", "bottom": 4, "bottom_color": "#D9E0E3"},
        "percent": {"num_format": "0%", "bottom": 4, "bottom_color": "#D9E0E3"},
        "line": {"text_wrap": True},
    }
    return {name: book.add_format({**base, **made}) for name, made in makes.items()}


def _sheet_name(title: str, taken: set[str]) -> str:
    name = FORBIDDEN.sub(" ", title)[:MAX_SHEET_NAME].strip()
    while name.casefold() in taken:
        name = f"{name[: MAX_SHEET_NAME - 2]} {len(taken)}"
    taken.add(name.casefold())
    return name


def _write_lines(sheet: Any, section: Section, styles: dict[str, Any], row: int) -> int:
    if not section.lines:
        return row
    if not section.table:
        sheet.set_column(0, 0, LINE_WIDTH)
    for line in section.lines:
        sheet.set_row(row, _height(line))
        sheet.write_string(row, 0, line, styles["line"])
        row += 1
    return row + 1


def _height(words: str) -> int:
    """Return the height of a row, in points, whose words are broken at the width of lines."""
    return LINE_HEIGHT * sum(1 + len(line) // LINE_WIDTH for line in words.split("\n"))


def _write_table(sheet: Any, table: Table, styles: dict[str, Any], row: int) -> int:
    for index, column in enumerate(table.columns):
        sheet.set_column(index, index, TEXT_WIDTH if column.kind is Kind.TEXT else FIGURE_WIDTH)
        sheet.write_string(row, index, column.title, styles["head"])
    sheet.set_row(row, 32)
    sheet.freeze_panes(row + 1, 0)
    for offset, values in enumerate(table.rows, start=1):
        for index, (column, value) in enumerate(zip(table.columns, values, strict=True)):
            _write_cell(sheet, row + offset, index, column, value, styles)
    sheet.autofilter(row, 0, row + len(table.rows), len(table.columns) - 1)
    sheet.repeat_rows(row)
    return row + len(table.rows) + 1


def _write_cell(sheet: Any, row: int, index: int, column: Column, value: Value, styles: dict[str, Any]) -> None:
    if value is None:
        sheet.write_blank(row, index, None, styles["text"])
    elif isinstance(value, str):
        sheet.write_string(row, index, value, styles["text"])
    else:
        whole = "number" if float(value).is_integer() else "decimal"
        sheet.write_number(row, index, value, styles["percent" if column.kind is Kind.PERCENT else whole])


def _write_quotes(sheet: Any, section: Section, styles: dict[str, Any], row: int, say: Phrases) -> int:
    if not section.quotes:
        return row
    columns = len(section.table.columns) if section.table else 1
    for quote in section.quotes:
        words = "\n".join(
            part for part in (quote.note, quote.reason, say.quoted(quote.text), quote.after, quote.origin) if part
        )
        sheet.set_row(row, _height(words))
        if columns > 1:
            sheet.merge_range(row, 0, row, min(columns, 6) - 1, "", styles["line"])
        else:
            sheet.set_column(0, 0, LINE_WIDTH)
        sheet.write_string(row, 0, words, styles["line"])
        row += 1
    return row


def _write_chart(book: Any, sheet: Any, chart: Chart, styles: dict[str, Any], row: int) -> None:
    """Write a chart's figures beside it, and a native chart over them."""
    start = row + 1
    sheet.write_string(row, 0, chart.title, styles["soft"])
    for place, (name, values) in enumerate(chart.series, start=1):
        sheet.write_string(start, place, name, styles["head"])
        for offset, value in enumerate(values, start=1):
            sheet.write_number(start + offset, place, value, styles["number"])
    for offset, category in enumerate(chart.categories, start=1):
        sheet.write_string(start + offset, 0, category, styles["text"])
    last = start + len(chart.categories)
    lying = {"type": "bar"} if chart.grouped else {"type": "bar", "subtype": "stacked"}
    drawn = book.add_chart({"type": "column"} if chart.over_time else lying)
    colours = [COLOURS[place] for place in GROUPED] if chart.grouped else COLOURS
    for place, (name, _) in enumerate(chart.series, start=1):
        drawn.add_series(
            {
                "name": name,
                "categories": [sheet.name, start + 1, 0, last, 0],
                "values": [sheet.name, start + 1, place, last, place],
                "fill": {"color": colours[(place - 1) % len(colours)]},
                "gap": 45,
            }
        )
    drawn.set_title({"name": chart.title, "overlay": False, "name_font": {"size": 12, "bold": False}})
    drawn.set_legend({"position": "bottom"} if len(chart.series) > 1 else {"none": True})
    if not chart.over_time:
        drawn.set_y_axis({"reverse": True})
        drawn.set_x_axis({"major_gridlines": {"visible": True, "line": {"color": "#D9E0E3"}}})
    drawn.set_size({"width": 760, "height": 120 + 28 * len(chart.categories) if not chart.over_time else 300})
    options = {"description": chart.title, "object_position": 1}
    sheet.insert_chart(last + 2, 0, drawn, options)

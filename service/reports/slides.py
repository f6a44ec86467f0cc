"""A report as slides, 16:9: real layouts with titles, native charts that can be edited, alternative texts, notes."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LABEL_POSITION, XL_LEGEND_POSITION
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls
from pptx.util import Emu, Inches, Pt

from service.reports.outline import Chart, Kind, Section, Table, Words, outline, written
from service.reports.page import GROUPED, figures, shortened
from service.reports.schemas import Edition, ReportContent, ReportLanguage
from service.reports.words import Phrases

WIDTH, HEIGHT = Inches(13.333), Inches(7.5)
MARGIN = Inches(0.7)
INNER = WIDTH - 2 * MARGIN
TOP = Inches(1.5)
_colour: Any = RGBColor.from_string
INK, SOFT, WASH = (_colour(colour) for colour in ("1C2A32", "5A6872", "F3F6F6"))
COLOURS = tuple(_colour(colour) for colour in ("12646A", "B8562F", "9AA7AD"))
WHITE = _colour("FFFFFF")
FONT = "Calibri"
_DATE = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
COVER_LAYOUT, TITLE_LAYOUT = 0, 5
MOST_ROWS, MOST_QUOTES = 11, 6  # the file of tables and the page have them all
ROWS_A_SLIDE, COLUMNS_A_SLIDE, QUOTES_A_SLIDE, LINES_A_SLIDE, QUOTE_CHARS = 11, 13, 3, 9, 330


def render_slides(content: ReportContent, edition: Edition, language: ReportLanguage) -> bytes:
    """Render a report as PPTX."""
    say = Phrases(language)
    shown = outline(content, edition, language)
    deck = Presentation()
    deck.slide_width, deck.slide_height = WIDTH, HEIGHT
    _fit_layouts(deck)
    deck.core_properties.title, deck.core_properties.author = shown.title, "Binôme"
    deck.core_properties.created = deck.core_properties.modified = content.as_of.replace(tzinfo=None)
    _cover(deck, shown.month[:1].upper() + shown.month[1:], f"{say('title')}\n{shown.subtitle}")
    for section in shown.sections:
        heads = figures(content, say) if section.key == "summary" else []
        _section(deck, section, say, heads)
    target = io.BytesIO()
    deck.save(target)
    return dated(target.getvalue(), content.as_of)


def dated(package: bytes, at: datetime) -> bytes:
    """Give a package and the workbooks in it a moment as their only date: they hold that of their making otherwise."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as made, zipfile.ZipFile(target, "w") as written_anew:
        for name in made.namelist():
            content = made.read(name)
            if name.endswith(".xlsx"):
                content = dated(content, at)
            elif name == "docProps/core.xml":
                content = _DATE.sub(f"{at:%Y-%m-%dT%H:%M:%SZ}".encode(), content)
            member = zipfile.ZipInfo(name, at.timetuple()[:6])
            written_anew.writestr(member, content, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _fit_layouts(deck: Any) -> None:
    """Bring the layouts that are used to 16:9, with the report's type; the others go."""
    for index, layout in reversed(list(enumerate(deck.slide_layouts))):
        if index not in {COVER_LAYOUT, TITLE_LAYOUT}:
            deck.slide_layouts.remove(layout)
    cover, titled = deck.slide_layouts
    for parent in (deck.slide_master, cover, titled):
        for shape in list(parent.placeholders):
            _fit_placeholder(shape, cover=parent is cover, master=parent is deck.slide_master)


def _fit_placeholder(shape: Any, *, cover: bool, master: bool) -> None:
    index = shape.placeholder_format.idx
    if index >= 10 and not master:  # date, footer, number: the report says when it is of
        shape._element.getparent().remove(shape._element)
    elif cover and index:
        _place(shape, MARGIN, Inches(3.7), INNER, Inches(1.6))
    elif not index:
        _place(shape, MARGIN, Inches(2.3 if cover else 0.5), INNER, Inches(1.3 if cover else 0.85))
        _style_title(shape, 48 if cover else 28)


def _place(shape: Any, left: int, top: int, width: int, height: int) -> None:
    shape.left, shape.top, shape.width, shape.height = Emu(left), Emu(top), Emu(width), Emu(height)


def _style_title(shape: Any, size: int) -> None:
    frame = shape.text_frame
    frame.vertical_anchor = MSO_ANCHOR.BOTTOM
    for paragraph in frame.paragraphs:
        paragraph.alignment = PP_ALIGN.LEFT
        for run in paragraph.runs or [paragraph.add_run()]:
            _write_font(run.font, size, bold=True)


def _write_font(font: Any, size: float, *, bold: bool = False, colour: RGBColor = INK) -> None:
    font.name, font.size, font.bold = FONT, Pt(size), bold
    font.color.rgb = colour


def _cover(deck: Any, title: str, subtitle: str) -> None:
    slide = deck.slides.add_slide(deck.slide_layouts[0])
    _title(slide, title, 48)
    frame = slide.placeholders[1].text_frame
    for number, line in enumerate(subtitle.split("\n")):
        paragraph = frame.paragraphs[0] if not number else frame.add_paragraph()
        paragraph.alignment = PP_ALIGN.LEFT
        _run(paragraph, line, 20 if not number else 14, colour=COLOURS[0] if not number else SOFT)


def _title(slide: Any, title: str, size: int = 28) -> None:
    frame = slide.shapes.title.text_frame
    frame.vertical_anchor = MSO_ANCHOR.BOTTOM
    paragraph = frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.LEFT
    _run(paragraph, title, size, bold=True)


def _run(paragraph: Any, text: str, size: float, *, bold: bool = False, colour: RGBColor = INK) -> None:
    run = paragraph.add_run()
    run.text = _printable(text)
    _write_font(run.font, size, bold=bold, colour=colour)


def _printable(text: str) -> str:
    """Return a text without the control characters that XML has no place for."""
    return "".join(c for c in text if c.isprintable() or c in "\u00a0\u202f")


def _slide(deck: Any, title: str, notes: Sequence[str]) -> Any:
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    _title(slide, title)
    slide.notes_slide.notes_text_frame.text = "\n".join(map(_printable, notes))
    return slide


def _section(deck: Any, section: Section, say: Phrases, heads: list[tuple[str, str]]) -> None:
    if section.lines == [say("nothing")]:
        return
    notes = section.lines or [section.title]
    if not section.table:
        _line_slides(deck, section, notes, heads)
    if section.chart:
        _chart(_slide(deck, section.chart.title if not section.table else _both(section, say), notes), section.chart)
    if section.table:
        _tables(deck, section, section.table, say, notes)
        _line_slides(deck, section, notes, heads)  # what is to be added to the table
    spoken = [quote for quote in section.quotes if quote.note]
    for quotes in _chunks(spoken[:MOST_QUOTES], QUOTES_A_SLIDE):
        _quotes(_slide(deck, section.title, notes), quotes)


def _line_slides(deck: Any, section: Section, notes: Sequence[str], heads: list[tuple[str, str]]) -> None:
    for part, lines in enumerate(_chunks(section.lines, LINES_A_SLIDE)):
        slide = _slide(deck, section.title, notes)
        top = TOP
        if heads and not part:
            _heads(slide, heads)
            top = Inches(2.75)
        _lines(slide, lines, top, 15 if heads else 14)


def _both(section: Section, say: Phrases) -> str:
    assert section.chart is not None, "only sections with a chart are asked"
    return f"{section.title}{' : ' if say.french else ': '}{section.chart.title[:1].lower()}{section.chart.title[1:]}"


def _chunks(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Part values into slides of about equal length."""
    slides = -(-len(values) // size)
    for number in range(slides):
        yield values[number * len(values) // slides : (number + 1) * len(values) // slides]


def _heads(slide: Any, heads: list[tuple[str, str]]) -> None:
    width = INNER // len(heads)
    for number, (value, name) in enumerate(heads):
        box = slide.shapes.add_textbox(MARGIN + number * width, TOP, width, Inches(1.1))
        frame = box.text_frame
        frame.margin_left = 0
        _run(frame.paragraphs[0], value, 32, bold=True, colour=COLOURS[0])
        _run(frame.add_paragraph(), name, 13, colour=SOFT)


def _lines(slide: Any, lines: Sequence[str], top: int, size: float) -> None:
    box = slide.shapes.add_textbox(MARGIN, top, INNER, HEIGHT - top - Inches(0.4))
    frame = box.text_frame
    frame.word_wrap = True
    frame.margin_left = 0
    for number, line in enumerate(lines):
        paragraph = frame.paragraphs[0] if not number else frame.add_paragraph()
        paragraph.space_after = Pt(8)
        _run(paragraph, line, size)


def _chart(slide: Any, chart: Chart) -> None:
    data: Any = CategoryChartData()  # type: ignore[no-untyped-call]
    data.categories = [_printable(c if chart.over_time else shortened(c)) for c in chart.categories]
    for name, values in chart.series:
        data.add_series(_printable(name), values)
    single = len(chart.series) == 1
    apart = single or chart.grouped  # bars with room for their figures beside them
    lying = XL_CHART_TYPE.BAR_CLUSTERED if apart else XL_CHART_TYPE.BAR_STACKED
    kind = XL_CHART_TYPE.COLUMN_CLUSTERED if chart.over_time else lying
    frame = slide.shapes.add_chart(kind, MARGIN, TOP, INNER, HEIGHT - TOP - Inches(0.5), data)
    frame.name = chart.title
    spoken = "; ".join(
        f"{category}: {', '.join(f'{name} {values[i]}' for name, values in chart.series)}"
        for i, category in enumerate(chart.categories)
    )
    frame._element.nvGraphicFramePr.cNvPr.set("descr", _printable(f"{chart.title}. {spoken}"))
    drawn = frame.chart
    drawn.font.name, drawn.font.size = FONT, Pt(12)
    drawn.font.color.rgb = INK
    drawn.has_title = False
    drawn.has_legend = len(chart.series) > 1
    if drawn.has_legend:
        drawn.legend.position = XL_LEGEND_POSITION.BOTTOM
        drawn.legend.include_in_layout = False
    plot = drawn.plots[0]
    plot.gap_width = 45
    if not chart.over_time:
        plot.overlap = 0 if chart.grouped else 100
        drawn.category_axis.reverse_order = True
    drawn.value_axis.visible = False
    drawn.value_axis.has_major_gridlines = False
    drawn.category_axis.format.line.color.rgb = COLOURS[2]
    drawn.category_axis.tick_labels.font.size = Pt(12)
    plot.has_data_labels = True
    plot.data_labels.font.size = Pt(11)
    plot.data_labels.font.color.rgb = INK if apart else WHITE
    if apart:  # stacked bars know no place outside
        plot.data_labels.position = XL_LABEL_POSITION.OUTSIDE_END
    plot.data_labels.number_format, plot.data_labels.number_format_is_linked = "#,##0;;", False
    for number, series in enumerate(plot.series):
        series.format.fill.solid()
        series.format.fill.fore_color.rgb = COLOURS[GROUPED[number % 2] if chart.grouped else number % len(COLOURS)]


def _tables(deck: Any, section: Section, table: Table, say: Phrases, notes: Sequence[str]) -> None:
    words = [column.kind is Kind.TEXT for column in table.columns][:COLUMNS_A_SLIDE]
    for rows in _chunks(written(table, say)[:MOST_ROWS], ROWS_A_SLIDE):
        slide = _slide(deck, section.title, notes)
        height = Inches(0.42)
        count = len(words)
        frame = slide.shapes.add_table(len(rows) + 1, count, MARGIN, TOP, INNER, height * (len(rows) + 1))
        frame.name = section.title
        frame._element.nvGraphicFramePr.cNvPr.set("descr", _printable(section.title))
        drawn = frame.table
        drawn.horz_banding = False
        widest = 3.0 if count <= 10 else 2.0
        weights = [
            widest if is_words and not index else 1.7 if is_words else 1.0 for index, is_words in enumerate(words)
        ]
        if words.count(True) > 1 and not words[0]:
            weights[words.index(True)] = 1.2
        heads = [max(map(len, column.title.split() or [""])) * 2.1 for column in table.columns[:count]]
        longest = [max(heads[i], *(len(row[i]) for row in rows)) for i in range(count)]
        weights = [min(4.0, max(w, chars / 11)) for w, chars in zip(weights, longest, strict=True)]
        for index, weight in enumerate(weights):
            drawn.columns[index].width = Emu(int(INNER * weight / sum(weights)))
        for index, column in enumerate(table.columns[:count]):
            _cell(drawn.cell(0, index), column.title, words=words[index], colour=WHITE, fill=COLOURS[0])
        for place, row in enumerate(rows, start=1):
            for index in range(count):
                _cell(drawn.cell(place, index), row[index], words=words[index], fill=WASH if place % 2 == 0 else WHITE)


def _cell(cell: Any, text: str, *, words: bool, fill: RGBColor, colour: RGBColor = INK) -> None:
    """Write a cell whole: part by part, the cells of a report's tables take as long as all the rest of it."""
    side, edge = Inches(0.07), Inches(0.04)
    written_cell = parse_xml(
        f'<a:tc {nsdecls("a")}><a:txBody><a:bodyPr/><a:lstStyle/><a:p><a:pPr algn="{"l" if words else "r"}"/>'
        f'<a:r><a:rPr sz="1050" b="{int(fill == COLOURS[0])}">{_solid(colour)}<a:latin typeface="{FONT}"/></a:rPr>'
        f"<a:t>{escape(_printable(text))}</a:t></a:r></a:p></a:txBody>"
        f'<a:tcPr marL="{side}" marR="{side}" marT="{edge}" marB="{edge}" anchor="ctr">{_solid(fill)}</a:tcPr></a:tc>'
    )
    cell._tc.getparent().replace(cell._tc, written_cell)


def _solid(colour: RGBColor) -> str:
    return f'<a:solidFill><a:srgbClr val="{colour}"/></a:solidFill>'


def _quotes(slide: Any, quotes: Sequence[Words]) -> None:
    height = (HEIGHT - TOP - Inches(0.4)) // QUOTES_A_SLIDE
    for number, quote in enumerate(quotes):
        top = TOP + number * height
        mark = slide.shapes.add_shape(1, MARGIN, top + Inches(0.08), Inches(0.05), height - Inches(0.3))
        mark.fill.solid()
        mark.fill.fore_color.rgb = COLOURS[0]
        mark.line.fill.background()
        box = slide.shapes.add_textbox(MARGIN + Inches(0.2), top, INNER - Inches(0.2), height)
        frame = box.text_frame
        frame.word_wrap = True
        first = frame.paragraphs[0]
        if quote.note:
            _run(first, _cut(quote.note, 150), 14, bold=True)
            first = frame.add_paragraph()
        if quote.reason:
            _run(first, _cut(quote.reason, 190), 11, colour=SOFT)
            first = frame.add_paragraph()
        _run(first, _cut(quote.text, QUOTE_CHARS), 15)
        if quote.after:
            _run(frame.add_paragraph(), _cut(quote.after, QUOTE_CHARS // 2), 12)
        _run(frame.add_paragraph(), quote.origin, 12, colour=SOFT)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most].rpartition(' ')[0]} …"

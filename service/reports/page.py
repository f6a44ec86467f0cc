"""A report as a page: self-contained, without script, made to be printed too."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from service.reports.outline import Chart, Kind, Outline, outline, written
from service.reports.schemas import Edition, ReportContent, ReportLanguage
from service.reports.words import Phrases

_FOLDER = Path(__file__).parent / "templates"
_STYLE = Path(__file__).parents[1] / "pages" / "static" / "report.css"  # one for the file and for the page
WIDTH, LABEL_WIDTH, ROW, BAR = 720, 250, 26, 16
TIME_HEIGHT, TIME_FOOT = 120, 18
LABEL_CHARS = 36
GROUPED = (0, 2)  # colours of series side by side

templates = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of a chart, in units of its view box, and what it says; `series` picks its colour."""

    x: float
    y: float
    width: float
    height: float
    series: int
    title: str


@dataclass(frozen=True, slots=True)
class Text:
    """Words in a chart."""

    x: float
    y: float
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart laid out."""

    height: int
    bars: list[Bar]
    texts: list[Text]


def render_html(content: ReportContent, edition: Edition, language: ReportLanguage) -> bytes:
    """Render a report as HTML."""
    style = _STYLE.read_text(encoding="utf-8")
    html = templates.get_template("report.html").render(style=style, **page_context(content, edition, language))
    return html.encode()


def page_context(content: ReportContent, edition: Edition, language: ReportLanguage) -> dict[str, Any]:
    """Return what the templates of the page show."""
    say = Phrases(language)
    shown: Outline = outline(content, edition, language)
    return {
        "outline": shown,
        "say": say,
        "figures": figures(content, say),
        "written": lambda table: written(table, say),
        "is_text": lambda column: column.kind is Kind.TEXT,
        "drawn": lambda chart: drawn(chart, say),
        "width": WIDTH,
    }


def figures(content: ReportContent, say: Phrases) -> list[tuple[str, str]]:
    """Return the four figures at the head of a report, with what they are."""
    coverage = content.coverage
    share = coverage.unassigned / coverage.passages if coverage.passages else None
    return [
        (say.figure(coverage.read), say("figure_notes")),
        (say.figure(coverage.accounts), say("figure_accounts")),
        (say.figure(coverage.authors), say("figure_authors")),
        (say.percent(None if share is None else 1 - share), say("figure_assigned")),
    ]


def drawn(chart: Chart, say: Phrases) -> Drawing:
    """Lay out a chart."""
    if chart.over_time:
        return _columns(chart, say)
    return _grouped(chart, say) if chart.grouped else _bars(chart, say)


def _bars(chart: Chart, say: Phrases) -> Drawing:
    totals = [sum(values[i] for _, values in chart.series) for i in range(len(chart.categories))]
    scale = (WIDTH - LABEL_WIDTH - 60) / max([*totals, 1])
    bars, texts = [], []
    for i, category in enumerate(chart.categories):
        y = i * ROW + (ROW - BAR) / 2
        x = float(LABEL_WIDTH)
        for number, (name, values) in enumerate(chart.series):
            width = values[i] * scale
            if values[i]:
                bars.append(Bar(round(x, 1), y, round(width, 1), BAR, number, f"{category}, {name}: {values[i]}"))
            x += width
        texts.append(Text(LABEL_WIDTH - 10, y + 12.5, shortened(category), "end"))
        texts.append(Text(round(x + 8, 1), y + 12.5, say.figure(totals[i]), "start"))
    return Drawing(len(chart.categories) * ROW, bars, texts)


def _grouped(chart: Chart, say: Phrases) -> Drawing:
    """Lay the series of each category under one another; the last, what is compared with, in the third colour."""
    scale = (WIDTH - LABEL_WIDTH - 60) / max([*(max(values) for _, values in chart.series), 1])
    thin, step = BAR / 2, ROW + 4
    bars, texts = [], []
    for i, category in enumerate(chart.categories):
        top = i * step + (step - thin * len(chart.series)) / 2
        for number, (name, values) in enumerate(chart.series):
            y, width = top + number * thin, round(values[i] * scale, 1)
            colour = GROUPED[number % len(GROUPED)]
            bars.append(Bar(LABEL_WIDTH, y, max(width, 1), thin - 1, colour, f"{category}, {name}: {values[i]}"))
        texts.append(Text(LABEL_WIDTH - 10, round(top + thin + 4.5, 1), shortened(category), "end"))
        told = " / ".join(say.figure(values[i]) for _, values in chart.series)
        longest = max(values[i] for _, values in chart.series) * scale
        texts.append(Text(round(LABEL_WIDTH + longest + 8, 1), round(top + thin + 4.5, 1), told, "start"))
    return Drawing(len(chart.categories) * step, bars, texts)


def _columns(chart: Chart, say: Phrases) -> Drawing:
    name, values = chart.series[0]
    step, top = WIDTH / max(len(values), 1), max([*values, 1])
    bars, texts = [], []
    for i, value in enumerate(values):
        height = value / top * (TIME_HEIGHT - 2 * TIME_FOOT)
        y = TIME_HEIGHT - TIME_FOOT - height
        bars.append(
            Bar(
                round(i * step + step * 0.18, 1),
                round(y, 1),
                round(step * 0.64, 1),
                round(height, 1),
                0,
                f"{chart.categories[i]}, {name}: {value}",
            )
        )
        texts.append(Text(round(i * step + step / 2, 1), round(y - 4, 1), say.figure(value), "middle"))
        texts.append(Text(round(i * step + step / 2, 1), TIME_HEIGHT - 4, chart.categories[i], "middle"))
    return Drawing(TIME_HEIGHT, bars, texts)


def shortened(label: str) -> str:
    """Return a label that fits beside its bar."""
    return label if len(label) <= LABEL_CHARS else f"{label[: LABEL_CHARS - 1].rstrip()}…"

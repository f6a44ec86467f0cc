"""The themes on a map and in their areas, and the forms by which people curate one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import hypot, sqrt
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from service.database import write_session
from service.dependencies import Caller, Now, ReadSession, get_engine
from service.errors import InvalidInput
from service.filters import Filters
from service.insights.items import measure_items, measuring_frame
from service.insights.measures import About
from service.insights.schemas import Label
from service.pages.answers import PageRoute, render
from service.pages.corrections import back
from service.pages.sign_in import CuratingVisitor, FormFields, Visitor, may_curate
from service.pages.views import item_address
from service.tables import ThemeChangeTable, ThemeTable
from service.themes import curation, outputs, queries
from service.themes.curation_routes import change
from service.themes.routes import found_theme
from service.themes.schemas import ChangeOutput, Declaration, Edit, EventOutput, MapTheme, PartialLabel, ThemeItem
from service.themes.storage import ThemeState
from service.themes.undoing import undo_change

WIDTH, HEIGHT = 1000.0, 560.0
MARGIN = 70.0
SMALLEST, LARGEST = 4.0, 34.0
NAME_CHARS = 26
CHAR_WIDTH, NAME_HEIGHT, NAME_GAP = 7.2, 15.0, 4.0  # of a name on the map; the gap is to its circle
SHOWN_CHANGES = 5
SHOWN_EVENTS = 12
router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Name:
    """Where a theme's name stands on the map: its base line, and which end of it (`text-anchor` of SVG)."""

    x: float
    y: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A theme on the map, in units of its view box; the area of the circle grows with the passages.

    `name` is None where there is no room for it; such a theme is told by pointer, by keyboard and in the list.
    """

    theme: MapTheme
    x: float
    y: float
    radius: float
    address: str
    name: Name | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """What the forms of a theme's page need.

    Attributes:
        others: Themes that it could be merged into.
        changes: Latest changes of it, which can be undone.
        events: What happened to it, latest first.
        labels: Names of the active themes by their public ids.
    """

    theme: ThemeTable
    active: bool
    merged_into: str | None
    others: list[ThemeTable]
    changes: list[ChangeOutput]
    events: list[EventOutput]
    curating: bool
    labels: dict[str, Label]


@router.get("/themes")
def get_themes_page(request: Request, session: ReadSession, visitor: Visitor) -> Response:
    """Show the themes on their map, and by area."""
    unassigned, passages = queries.count_all_passages(session)
    tree = outputs.tree_output(session, unassigned)
    return render(
        request,
        "themes.html",
        tree=tree,
        described=_described(session),
        most=max((theme.passages for area in tree.areas for theme in area.themes), default=1) or 1,
        curating=may_curate(visitor),
        dots=dots(outputs.map_output(session).themes),
        passages=passages,
        width=WIDTH,
        height=HEIGHT,
        name_chars=NAME_CHARS,
        item_address=item_address,
    )


def _described(session: Session) -> dict[str, ThemeItem]:
    """Return life, nature and trend of the themes that were heard lately, by public id."""
    frame = measuring_frame(session, Filters())
    items = measure_items(session, About.THEME, Filters(), frame).items
    return {item.id: item for item in outputs.theme_items(session, items, frame.period)}


def dots(themes: list[MapTheme]) -> list[Dot]:
    """Draw themes, the largest first, so that small ones lie on top; each has its name where that covers nothing."""
    most = max((theme.passages for theme in themes), default=1) or 1
    drawn = [_dot(theme, most) for theme in sorted(themes, key=lambda t: (-t.passages, t.id))]
    names: list[_Box] = []
    named = []
    for dot in drawn:
        places = ((name, _name_box(dot, name)) for name in _places(dot))
        free = ((name, box) for name, box in places if _is_free(box, names, drawn))
        name, box = next(free, (None, None))
        names += [box] if box else []
        named.append(replace(dot, name=name))
    return named


def _dot(theme: MapTheme, most: int) -> Dot:
    x = round(MARGIN + theme.x * (WIDTH - 2 * MARGIN), 1)
    y = round(MARGIN + (1 - theme.y) * (HEIGHT - 2 * MARGIN), 1)
    radius = round(SMALLEST + (LARGEST - SMALLEST) * sqrt(theme.passages / most), 1)
    return Dot(theme, x, y, radius, item_address(About.THEME, theme.id))


_Box = tuple[float, float, float, float]


def _places(dot: Dot) -> tuple[Name, ...]:
    """Return where a theme's name may stand, the best place first: below, above, to the right, to the left."""
    beside, middle = dot.radius + NAME_GAP, round(dot.y + NAME_HEIGHT / 3, 1)
    return (
        Name(dot.x, round(dot.y + beside + NAME_HEIGHT * 0.8, 1), "middle"),
        Name(dot.x, round(dot.y - beside - NAME_HEIGHT * 0.2, 1), "middle"),
        Name(round(dot.x + beside, 1), middle, "start"),
        Name(round(dot.x - beside, 1), middle, "end"),
    )


def _name_box(dot: Dot, name: Name) -> _Box:
    """Return left, right, top and bottom of a name, as wide as in the language in which it is longer."""
    label = dot.theme.label
    width = CHAR_WIDTH * min(NAME_CHARS, max(len(label.en), len(label.fr)))
    left = name.x - width * {"start": 0.0, "middle": 0.5, "end": 1.0}[name.anchor]
    return left, left + width, name.y - NAME_HEIGHT * 0.8, name.y + NAME_HEIGHT * 0.2


def _is_free(box: _Box, names: list[_Box], drawn: list[Dot]) -> bool:
    """Tell whether a box lies on the map, on no name and on no circle."""
    left, right, top, bottom = box
    inside = left >= 0 and right <= WIDTH and top >= 0 and bottom <= HEIGHT
    on_circle = any(
        hypot(max(left - dot.x, 0, dot.x - right), max(top - dot.y, 0, dot.y - bottom)) < dot.radius for dot in drawn
    )
    return inside and not on_circle and not any(_overlap(box, other) for other in names)


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


def curation_panel(session: Session, theme_id: str, visitor: Caller) -> Panel | None:
    """Return a theme's history, and what the forms of its page need; the forms stay empty for who may not curate."""
    theme = queries.find_theme(session, theme_id.replace("\0", ""))
    if theme is None:
        return None
    events, _ = queries.list_events(session, theme.id, limit=SHOWN_EVENTS, before=None)
    rows, _ = queries.list_changes(session, limit=SHOWN_CHANGES, before=None, theme_id=theme.id)
    hidden = queries.withheld_themes(session)
    active = [other for other, _, _ in queries.sized_themes(session) if other.id not in hidden]
    into = queries.keys_of(session, [theme.merged_into]) if theme.merged_into else {}
    return Panel(
        theme,
        theme.state == ThemeState.ACTIVE,
        next(iter(into.values()), None),
        [other for other in active if other.id != theme.id],
        outputs.change_outputs(session, [row for row in rows if row.undone_at is None]),
        outputs.event_outputs(session, events),
        may_curate(visitor),
        {other.key: Label(en=other.label_en, fr=other.label_fr) for other in active},
    )


@router.post("/themes/declare")
def post_declaration(request: Request, fields: FormFields, now: Now, visitor: CuratingVisitor) -> Response:
    """Declare a theme in words; first the passages that it would get are shown."""
    confirmed = fields.get("confirm") == "yes"
    name_fr = fields.get("fr", "").strip()
    try:
        wanted = Declaration(
            name=fields.get("en", ""),
            description=fields.get("description", ""),
            label=PartialLabel(fr=name_fr) if name_fr else None,
        )
    except ValidationError:
        raise InvalidInput("Write a name of 200 characters and a description of 1,000 at most.") from None
    with write_session(get_engine(request)) as session:
        made = change(
            session,
            lambda: curation.declare_theme(session, wanted, by=visitor.name, now=now),
            preview=not confirmed,
        )
    if confirmed:
        return RedirectResponse(item_address(About.THEME, made.theme_id), 303)
    name = {"en": wanted.name, "fr": name_fr or wanted.name}
    return _ask(request, made, {**fields, "action": "declare"}, name, "/themes", "/themes/declare")


def _ask(
    request: Request,
    made: ChangeOutput,
    fields: dict[str, str],
    name: dict[str, str],
    address: str,
    target: str,
    into: dict[str, str] | None = None,
) -> Response:
    """Show what a change would touch, with the form that makes it."""
    kept = {key: value for key, value in fields.items() if key != "confirm"}
    return render(
        request, "curate.html", change=made, fields=kept, name=name, address=address, target=target, into=into
    )


@router.post("/themes/{theme_id}/curate")
def post_curation(theme_id: str, request: Request, fields: FormFields, now: Now, visitor: CuratingVisitor) -> Response:
    """Change a theme; first the effect is shown in counts, and the form asks again with `confirm`."""
    confirmed = fields.get("confirm") == "yes"
    with write_session(get_engine(request)) as session:
        theme = found_theme(session, theme_id, lock=True)
        made = change(session, lambda: _change(session, theme, fields, visitor.name, now), preview=not confirmed)
        name = {"en": theme.label_en, "fr": theme.label_fr}
        target = queries.find_theme(session, fields.get("into", "").replace("\0", "")) if made.into else None
        into = {"en": target.label_en, "fr": target.label_fr} if target else None
    address = item_address(About.THEME, theme_id)
    if confirmed:
        return RedirectResponse(f"{address}#curation", 303)
    return _ask(request, made, fields, name, address, f"/themes/{quote(theme_id, safe='')}/curate", into)


@router.post("/themes/passage")
def post_passage(request: Request, fields: FormFields, now: Now, visitor: CuratingVisitor) -> Response:
    """Put a passage into another theme, or out of its own: at once, as a finding is corrected, with undo."""
    with write_session(get_engine(request)) as session:
        out = fields.get("do") == "take_out"
        theme = found_theme(session, fields.get("theme" if out else "into", "").replace("\0", ""), lock=True)
        make = curation.take_out if out else curation.move_passage
        made = make(session, theme, _number(fields.get("passage", "")), by=visitor.name, now=now).id
    return back(fields, moved=str(made))


@router.post("/themes/passage/undo")
def post_passage_undo(request: Request, fields: FormFields, now: Now, visitor: CuratingVisitor) -> Response:
    """Take back what was done with a passage."""
    with write_session(get_engine(request)) as session:
        undo_change(session, _number(fields.get("change", "")), by=visitor.name, now=now)
    return back(fields, undone="yes")


def _change(session: Session, theme: ThemeTable, fields: dict[str, str], by: str, now: Now) -> ThemeChangeTable:
    """Make the change that a form asks for.

    Raises:
        InvalidInput: If a field is missing or wrong.
    """
    action = fields.get("action", "")
    if action == "merge":
        return curation.merge_themes(session, theme, fields.get("into", "").replace("\0", ""), by=by, now=now)
    if action == "undo":
        return undo_change(session, _number(fields.get("change", "")), by=by, now=now)
    if action == "split":
        names = {"en": fields.get("en", "").strip(), "fr": fields.get("fr", "").strip()}
        label = names if all(names.values()) else None
        return curation.split_theme(session, theme, None, label, by=by, now=now)
    edits: dict[str, dict[str, Any]] = {
        "rename": {"label": {"en": fields.get("en", ""), "fr": fields.get("fr", "")}},
        "mute": {"muted": True},
        "unmute": {"muted": False},
        "lock": {"locked": True},
        "unlock": {"locked": False},
    }
    try:
        wanted = Edit.model_validate(edits.get(action, {}))
    except ValidationError:
        raise InvalidInput("label: write a name in both languages, of 200 characters at most.") from None
    return curation.edit_theme(session, theme, wanted, by=by, now=now)


def _number(text: str) -> int:
    """Read the number of a change or a passage.

    Raises:
        InvalidInput: If it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidInput("Name a change or a passage.")
    return int(text)

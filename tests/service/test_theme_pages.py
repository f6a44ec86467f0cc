"""The themes' page and the forms of curation, as a browser without JavaScript sends them."""

from __future__ import annotations

import re

import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.auth.scopes import Scope
from service.database import write_session
from service.insights.schemas import Label
from service.pages.themes import dots
from service.tables import ThemeTable
from service.themes.schemas import MapTheme
from tests.service.visits import by_account, make_theme, read_in, shown, sign_in


def test_map_and_tree_in_both_languages(signed: TestClient, engine: sa.Engine) -> None:
    read_in(engine, *by_account(3))
    make_theme(engine, "theme-1", "Doors <b>", "Portes")
    with write_session(engine) as session:
        session.execute(sa.update(ThemeTable).values(x=0.5, y=0.5, area="price"))
    page = signed.get("/themes").text
    assert "Doors &lt;b&gt;: 3 passages" in page
    assert "<b>" not in page
    assert 'class="area-price"' in page
    assert "Price 3 passages" in shown(page)
    assert "Carte des thèmes" in signed.get("/themes?lang=fr").text
    assert "Curate this theme" not in signed.get("/insights/theme/theme-1").text


def test_names_on_the_map_do_not_lie_on_each_other() -> None:
    label = Label(en="Lead times on spare parts", fr="Délais")

    def theme(number: int, x: float, passages: int) -> MapTheme:
        return MapTheme(
            id=f"theme-{number}", label=label, area="price", x=x, y=0.5, passages=passages, notes=passages, muted=False
        )

    near = [theme(n, 0.5 + n / 100, 9 - n) for n in range(3)]
    apart = theme(9, 0.1, 1)
    drawn = dots([*reversed(near), apart])
    assert [(dot.theme.id, dot.named) for dot in drawn] == [
        ("theme-0", True),
        ("theme-1", False),
        ("theme-2", False),
        ("theme-9", True),
    ]


def test_rename_and_undo_by_forms(curator: TestClient, engine: sa.Engine) -> None:
    read_in(engine, *by_account(3))
    make_theme(engine, "theme-1", "Doors", "Portes")
    assert "Curate this theme" in curator.get("/insights/theme/theme-1").text
    form = {"action": "rename", "en": "Fire doors", "fr": "Portes coupe-feu"}
    asked = curator.post("/themes/theme-1/curate", data=form)
    assert "This touches 3 passages, 3 notes, 3 accounts." in shown(asked.text)
    assert "Fire doors" not in curator.get("/insights/theme/theme-1").text
    assert curator.post("/themes/theme-1/curate", data={**form, "confirm": "yes"}).status_code == 303
    page = curator.get("/insights/theme/theme-1").text
    assert "<h1>Fire doors</h1>" in page
    (change,) = re.findall(r'name="change" value="(\d+)"', page)
    curator.post("/themes/theme-1/curate", data={"action": "undo", "change": change, "confirm": "yes"})
    assert "<h1>Doors</h1>" in curator.get("/insights/theme/theme-1").text
    for wrong in ({"action": "rename", "en": "", "fr": ""}, {"action": "undo", "change": "x"}, {"action": "fly"}):
        assert curator.post("/themes/theme-1/curate", data=wrong).status_code == 422
    assert curator.post("/themes/none/curate", data=form).status_code == 404


def test_forms_need_the_right_and_the_same_site(signed: TestClient, engine: sa.Engine) -> None:
    read_in(engine, *by_account(1))
    make_theme(engine, "theme-1", "Doors", "Portes")
    form = {"action": "mute", "confirm": "yes"}
    assert signed.post("/themes/theme-1/curate", data=form).status_code == 403
    curator = sign_in(signed, engine, Scope.READ, Scope.CURATE)
    crossed = curator.post("/themes/theme-1/curate", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert crossed.status_code == 403
    assert curator.post("/themes/theme-1/curate", data=form).status_code == 303
    assert "Unmute" in curator.get("/insights/theme/theme-1").text

"""The themes' page and the forms of curation, as a browser without JavaScript sends them."""

from __future__ import annotations

import re

import sqlalchemy as sa
from fastapi.testclient import TestClient

from models.theme_curation import describe_theme
from service.auth.scopes import Scope
from service.database import write_session
from service.insights.schemas import Label
from service.pages.themes import dots
from service.tables import PassageTable, ThemeTable
from service.themes.schemas import MapTheme
from tests.service.visits import by_account, make_theme, read_in, shown, sign_in
from tests.work import note


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


def test_split_move_and_declare_by_forms(curator: TestClient, engine: sa.Engine) -> None:
    read_in(engine, *by_account(4), note("far", "A door that does not close, and whose lock is stuck since spring."))
    make_theme(engine, "theme-1", "Doors", "Portes")
    with write_session(engine) as session:
        session.execute(sa.update(PassageTable).values(theme_vector=describe_theme(["Doors that do not close."])))
    assert curator.post("/themes/theme-1/curate", data={"action": "split"}).status_code == 409
    form = {"en": "EU hosting", "fr": "", "description": "Customers refuse hosting outside the EU."}
    asked = shown(curator.post("/themes/declare", data=form).text)
    assert "a new theme with these passages." in asked
    assert "EU hosting" not in curator.get("/themes").text
    made = curator.post("/themes/declare", data={**form, "confirm": "yes"}).headers["location"]
    key = made.rsplit("/", 1)[1]
    assert "declared, marketing" in shown(curator.get(made).text)
    page = curator.get("/insights/theme/theme-1").text
    passage = re.findall(r'name="passage" value="(\d+)"', page)[0]
    moved = {"passage": passage, "into": key}
    assert "This touches 1 passage, 1 note, 1 account." in shown(curator.post("/themes/move", data=moved).text)
    assert curator.post("/themes/move", data={**moved, "confirm": "yes"}).status_code == 303
    assert "a passage moved in, marketing" in shown(curator.get(made).text)
    assert curator.post("/themes/declare", data={"en": "", "description": "x"}).status_code == 422
    assert curator.post("/themes/move", data={"into": "none", "passage": "1"}).status_code == 404


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

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

    near = [theme(n, 0.5 + n / 100, 9 - n) for n in range(5)]
    drawn = {dot.theme.id: dot for dot in dots([*reversed(near), theme(9, 0.0, 1)])}
    assert list(drawn) == ["theme-0", "theme-1", "theme-2", "theme-3", "theme-4", "theme-9"]
    below, above, *others, apart = [dot.name for dot in drawn.values()]
    assert below
    assert above
    assert apart
    assert below.y > drawn["theme-0"].y > above.y
    assert {below.anchor, above.anchor} == {"middle"}
    assert None in others, "there is no room for all"
    assert apart.anchor == "start", "a name does not leave the map"


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
    passages = re.findall(r'name="passage" value="(\d+)"', page)
    moved = {"passage": passages[0], "into": key, "do": "move", "here": "/insights/theme/theme-1", "at": "quotes"}
    assert curator.post("/themes/passage", data=moved).status_code == 303
    assert "a passage moved in, marketing" in shown(curator.get(made).text)
    assert curator.post("/themes/declare", data={"en": "", "description": "x"}).status_code == 422


def test_a_passage_is_taken_out_of_its_theme_and_back_where_it_is_read(curator: TestClient, engine: sa.Engine) -> None:
    read_in(engine, *by_account(4))
    make_theme(engine, "theme-1", "Doors", "Portes")
    page = curator.get("/insights/theme/theme-1").text
    passages = re.findall(r'name="passage" value="(\d+)"', page)
    assert len(passages) == 4
    form = {"passage": passages[1], "theme": "theme-1", "do": "take_out", "at": "quotes"}
    made = curator.post("/themes/passage", data={**form, "here": "/insights/theme/theme-1?lang=en"})
    assert re.fullmatch(r"/insights/theme/theme-1\?lang=en&moved=\d+#quotes", made.headers["location"])
    left = curator.get(made.headers["location"]).text
    assert re.findall(r'name="passage" value="(\d+)"', left) == [p for p in passages if p != passages[1]]
    assert "a passage taken out, marketing" in shown(left)
    (change,) = re.findall(r'class="button small" name="change" value="(\d+)"', left)
    back = curator.post("/themes/passage/undo", data={"change": change, "here": "/insights/theme/theme-1"})
    assert back.headers["location"] == "/insights/theme/theme-1?undone=yes"
    assert re.findall(r'name="passage" value="(\d+)"', curator.get("/insights/theme/theme-1").text) == passages
    for wrong, status in (({"theme": "none"}, 404), ({"passage": "9999"}, 404), ({"passage": "x"}, 422)):
        assert curator.post("/themes/passage", data={**form, **wrong}).status_code == status
    assert curator.post("/themes/passage", data={**form, "do": "move", "into": "none"}).status_code == 404


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

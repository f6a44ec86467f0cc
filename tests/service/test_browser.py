"""The pages in a real Chromium: filter, export, follow evidence, correct, undo, mark, switch language; axe on all."""

from __future__ import annotations

import base64
import csv
import io
import shutil
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import axe_core_python
import pytest
import sqlalchemy as sa
import uvicorn
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from service.app import create_app
from service.auth.scopes import Scope
from service.pages.words import Lang, Words
from service.reports.building import build
from service.settings import Settings
from service.tables import NoteTable
from tests.service.test_users import EMAIL, PASSWORD, add_person
from tests.service.visits import by_account, make_key, make_theme, name_competitor, read_in
from tests.work import note

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
AXE = Path(axe_core_python.__file__).with_name("axe.min.js")
TEXT = "Rival is in place. It is too expensive for us. No budget before spring."
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start the browser once."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def site(settings: Settings, engine: sa.Engine) -> Iterator[str]:
    """Serve the application over HTTP."""
    config = uvicorn.Config(create_app(settings, engine), port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    (socket,) = server.servers[0].sockets
    yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def context(chromium: Browser, site: str, engine: sa.Engine) -> Iterator[BrowserContext]:
    """Open a window that is signed in with every right; axe needs the policy set aside."""
    _, secret = make_key(engine, Scope.ADMIN)
    context = chromium.new_context(base_url=site, locale="en", bypass_csp=True, reduced_motion="reduce")
    context.set_default_timeout(60_000)  # machines with much else to do
    page = context.new_page()
    page.goto("/sign-in")
    page.fill("#key", secret)
    page.click(".by-key button")
    page.wait_for_url(lambda url: not url.endswith("/sign-in"))
    yield context
    context.close()


def _fill(engine: sa.Engine) -> int:
    """Store notes with every kind of finding; return one of them."""
    name_competitor(engine, "Rival")
    read_in(engine, *by_account(3))
    (note_id,) = read_in(engine, note("long", TEXT, account={"id": "a9", "name": "Crémerie Ancel"}))
    make_theme(engine, "theme-1", "Doors", "Portes")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE themes SET x = 0.5, y = 0.5, area = 'price'"))
    return note_id


def test_a_marketer_filters_follows_corrects_and_undoes(context: BrowserContext, engine: sa.Engine) -> None:
    note_id = _fill(engine)
    page = context.pages[0]
    page.goto("/")
    page.get_by_label("Objections").check()
    page.get_by_role("button", name="Apply").click()
    assert "about=objection" in page.url
    assert page.get_by_role("heading", level=2).all_inner_texts() == ["Price"]
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert "Price" in download.value.path().read_text("utf-8-sig")
    page.get_by_role("link", name="Price", exact=True).click()
    page.get_by_role("link", name="Read the note: Crémerie Ancel").first.click()
    assert f"/notes/{note_id}#objection-" in page.url
    assert "too expensive" in page.locator("mark.objection").inner_text()
    _correct_and_undo(page)
    _mark_by_selecting(page)
    page.get_by_role("link", name="Français").click()
    assert page.locator("html").get_attribute("lang") == "fr"
    assert (
        page.locator("#found")
        .get_by_role("link", name="Objection\u00a0: Pas de budget, sans réponse", exact=True)
        .is_visible()
    )


def test_a_person_sets_up_a_second_factor(chromium: Browser, site: str, engine: sa.Engine) -> None:
    """In a browser that runs no scripts."""
    add_person(engine)
    context = chromium.new_context(base_url=site, locale="fr", java_script_enabled=False)
    context.set_default_timeout(60_000)
    page = context.new_page()
    _by_password(page)
    page.wait_for_url(f"{site}/")
    page.goto("/account")
    page.locator("form[action='/account/factor'] input").fill(PASSWORD)
    page.get_by_role("button", name="Configurer le second facteur").click()
    assert page.get_by_role("img", name="QR code").bounding_box()["width"] > 150
    secret = page.locator(".typed").inner_text().replace(" ", "").replace("\n", "")
    totp = TOTP(base64.b32decode(secret), 6, SHA1(), 30)
    page.get_by_label("Saisissez le code").fill(totp.generate(int(time.time())).decode())
    page.keyboard.press("Enter")
    code = page.locator(".codes code").first.inner_text()
    page.get_by_role("link", name="Je les ai conservés").click()
    assert "Il reste 10 codes de secours" in page.inner_text("main")
    page.get_by_role("button", name="Déconnexion").click()
    _by_password(page)
    page.get_by_label("Code").fill("000000")
    page.keyboard.press("Enter")
    assert "Ce code est faux" in page.get_by_role("alert").inner_text()
    page.get_by_label("Code").fill(code)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}/")
    page.goto("/account")
    assert "Il reste 9 codes de secours" in page.inner_text("main")
    context.close()


def test_axe_finds_nothing_serious_on_the_way_to_a_second_factor(
    chromium: Browser, site: str, engine: sa.Engine
) -> None:
    add_person(engine)
    context = chromium.new_context(base_url=site, bypass_csp=True, reduced_motion="reduce")
    context.set_default_timeout(60_000)
    page = context.new_page()
    _by_password(page)
    page.wait_for_url(f"{site}/")
    page.goto("/account")
    page.locator("form[action='/account/factor'] input").fill(PASSWORD)
    page.get_by_role("button", name="Set up the second factor").click()
    page.get_by_role("heading", name="Set up the second factor").wait_for()
    _check_looks(page)
    page.get_by_label("Type the code").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    _check_looks(page)
    secret = "".join(page.locator(".typed").inner_text().split())
    code = TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(int(time.time())).decode()
    page.get_by_label("Type the code").fill(code)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Your recovery codes").wait_for()
    _check_looks(page)
    page.goto("/account")
    _check_looks(page)
    _by_password(page)
    page.get_by_role("heading", name="Type your code").wait_for()
    _check_looks(page)
    context.close()


def _check_looks(page: Page) -> None:
    for scheme, width in (("light", 1280), ("dark", 320)):
        page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
        page.set_viewport_size({"width": width, "height": 800})
        assert _violations(page) == [], (page.url, scheme, width)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert (wide <= 0, _overflowing(page)) == (True, []), (page.url, width)


def _by_password(page: Page) -> None:
    page.goto("/sign-in")
    page.fill("#email", EMAIL)
    page.fill("#password", PASSWORD)
    page.locator("form", has=page.locator("#password")).get_by_role("button").click()


def _correct_and_undo(page: Page) -> None:
    """Correct with the keyboard alone, then undo."""
    form = page.locator("#found li", has=page.locator(".number.objection")).locator(".correct")
    form.locator("summary").focus()
    page.keyboard.press("Enter")
    form.get_by_label("Type").select_option("trust")
    form.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    page.locator("#found").get_by_role("link", name="Objection: Trust in us, unanswered", exact=True).wait_for()
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    page.locator("#found").get_by_role("link", name="Objection: Price, unanswered", exact=True).wait_for()


def _mark_by_selecting(page: Page) -> None:
    """Select words that were missed, as a mouse does, and say what they are."""
    page.evaluate(
        """() => {
          const walker = document.createTreeWalker(document.querySelector(".text"), NodeFilter.SHOW_TEXT);
          for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            const at = node.data.indexOf("No budget");
            if (at >= 0) document.getSelection().setBaseAndExtent(node, at, node, at + 9);
          }
        }"""
    )
    page.get_by_role("button", name="Mark these words").click()
    assert page.locator(".missed textarea").input_value() == "No budget"
    assert page.locator(".missed [name=start]").input_value() == str(TEXT.index("No budget"))
    page.locator(".missed [name=type]").select_option("budget")
    page.get_by_role("button", name="Add the objection").click()
    page.locator("#found").get_by_role("link", name="Objection: No budget, unanswered", exact=True).wait_for()


VISITS = (
    "Ref;Date;Client;Note;Montant\n"
    "V-1;03/02/2026;Harrow;Trop cher.;12 k€\n"
    "V-2;31/02/2026;Harrow;=Pas de mode hors ligne <script>alert(1)</script>.;\n"
    "V-3;04/02/2026;Harrow;;\n"
    "V-4;05/02/2026;Harrow;Ok.;beaucoup\n"
)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("lang", Lang)
def test_refused_rows_are_seen_downloaded_mended_and_sent_again(
    context: BrowserContext, engine: sa.Engine, lang: Lang, tmp_path: Path
) -> None:
    t = Words(lang)
    page = context.pages[0]
    page.on("dialog", lambda _: pytest.fail("a cell ran as a script"))
    page.goto(f"/imports?lang={lang}")

    def send(name: str, content: str) -> None:
        path = tmp_path / name
        path.write_text(content, encoding="utf-8-sig")
        page.goto("/imports")
        page.get_by_label(t("file"), exact=True).set_input_files(path)
        page.get_by_role("button", name=t("show_reading")).click()
        page.get_by_role("button", name=t("import"), exact=True).click()
        page.get_by_role("heading", level=1, name=name).wait_for()

    def counted(name: str) -> str:
        return page.locator("dl.measures div", has=page.get_by_text(t(f"result_{name}"), exact=True)).inner_text()

    send("visits.csv", VISITS)
    rows = page.get_by_role("region", name=t("refused_rows")).locator("tbody tr")
    said = [" ".join(row.inner_text().split()) for row in rows.all()]
    assert [row.split()[0] for row in said] == ["3", "4", "5"]
    assert "31/02/2026" in said[0]
    assert "<script>alert(1)</script>" in said[0]
    assert t("field_occurred_at") in said[0]
    assert t("field_text") in said[1]
    assert " 2026-02-04 ·" in said[1]
    assert counted("rejected").endswith("2")
    assert _violations(page) == []
    with page.expect_download() as download:
        page.get_by_role("link", name=t("download")).click()
    bad = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8-sig")), delimiter=";"))
    assert [row["Ref"] for row in bad] == ["V-2", "V-3", "V-4"]
    bad[0]["Date"], bad[1]["Note"], bad[2]["Montant"] = "28/02/2026", "Rappeler.", "4 k€"
    mended = io.StringIO()
    writer = csv.DictWriter(mended, bad[0].keys())
    writer.writeheader()
    writer.writerows(bad)
    send("mended.csv", mended.getvalue())
    assert counted("created").endswith("2")
    assert counted("updated").endswith("1")
    assert rows.count() == 0
    whole = VISITS.replace("31/02", "28/02").replace("Harrow;;", "Harrow;Rappeler.;").replace("beaucoup", "4 k€")
    for content in (mended.getvalue().replace("Rappeler.", "Rappeler. "), whole):
        send("again.csv", content)
        assert counted("created").endswith("0")
    with engine.connect() as connection:
        told = connection.scalars(sa.select(NoteTable.text).order_by(NoteTable.external_id)).all()
    assert list(told) == ["Trop cher.", "=Pas de mode hors ligne .", "Rappeler.", "Ok."], "HTML is turned to plain text"


def test_axe_finds_nothing_serious_on_any_page(context: BrowserContext, engine: sa.Engine) -> None:
    note_id = _fill(engine)
    build(engine, "2026-09", datetime(2026, 10, 2, tzinfo=UTC), by="tests")
    paths = [
        "/",
        "/?from=2026-09-30&to=2026-01-01",
        "/insights/objection/price",
        "/insights/theme/theme-1",
        "/insights/competitor/rival",
        f"/notes/{note_id}?changed=1",
        "/themes",
        "/competitors",
        "/search?q=price",
        "/reports",
        "/reports/2026-09",
        "/sources",
        "/outgoing",
        "/sources/add/salesforce",
        "/imports",
        "/status",
        "/people",
        "/audit",
        "/account",
        "/nowhere",
    ]
    page = context.pages[0]
    for scheme, width in (("light", 1280), ("dark", 360)):
        page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
        page.set_viewport_size({"width": width, "height": 800})
        for path in paths:
            page.goto(path)
            page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            assert _violations(page) == [], (path, scheme, width)
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, (path, width)
            assert _overflowing(page) == [], (path, width)


def _overflowing(page: Page) -> list[str]:
    """Return what is said in labels that reach over the edge of their box."""
    return page.evaluate(
        """() => [...document.querySelectorAll(".panel label")].filter((label) =>
          label.getBoundingClientRect().right > label.closest(".panel").getBoundingClientRect().right + 1
        ).map((label) => label.innerText)"""
    )


def _violations(page: Page) -> list[tuple[str, list[str]]]:
    """Return what axe finds that is serious or worse, with the elements."""
    page.add_script_tag(path=AXE)
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (one["id"], [node["html"][:200] for node in one["nodes"]][:3])
        for one in result["violations"]
        if one["impact"] in {"serious", "critical"}
    ]

"""The report of `shuniu reconcile` in a real browser, from a file, without a script: wide and narrow, both languages, light and dark, printed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub.cli import main
from hub.demo.samples import order_book, orders_csv, statement_csv, statement_rows
from tests.browser.test_overview import FLAGS

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A month of two hundred lines, with some of everything."""
    folder = tmp_path_factory.mktemp("report")
    book = order_book(200)
    (folder / "orders.csv").write_bytes(orders_csv(book[:190]))
    (folder / "bank.csv").write_bytes(statement_csv(statement_rows(book, 200)))
    given = ["--statement", f"{folder}/bank.csv", "--orders", f"{folder}/orders.csv", "--report", f"{folder}/report.html"]
    ran = CliRunner().invoke(main, ["reconcile", *given], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser(require: Callable[[object, str], None]) -> Iterator[Any]:
    require(Path(CHROMIUM).exists(), "needs Chromium: Debian's package chromium, or any as chromium on the PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def look(browser: Any, report: Path) -> Iterator[Callable[..., Any]]:
    """`look(…)` opens the report with scripts turned off. A test fails where the page asks anybody for anything."""
    asked: list[str] = []
    contexts = []

    def open_(*, width: int = 1280, scheme: str = "light") -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=False)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: asked.append(said.text))
        page.on("request", lambda request: asked.append(request.url) if request.url != report.as_uri() else None)
        page.goto(report.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not asked


def shown(page: Any, selector: str) -> int:
    """How many of these can be seen."""
    return sum(one.is_visible() for one in page.locator(selector).all())


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window(look: Any, width: int, scheme: str) -> None:
    """At every width, with a receipt open, the page is as wide as its window; what is wider scrolls in its own box."""
    page = look(width=width, scheme=scheme)
    page.locator(".r summary").first.click()

    boxes = [
        page.locator(selector).first.bounding_box() for selector in (".page", ".main", ".two", ".lane", ".r", ".r[open] .one")
    ]

    assert page.locator(".page").bounding_box()["width"] == width
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)


def test_a_row_opens_to_its_evidence(look: Any) -> None:
    """A click, or the keyboard, shows the shares, the weights and the memo with what the decision rests on."""
    page = look()
    row = page.locator(".auto .r").first
    assert not row.locator(".one").is_visible()

    row.locator("summary").press("Enter")

    assert row.locator(".sheet").is_visible() and row.locator(".fall").is_visible()
    assert row.locator(".fall tr").count() >= 3
    assert page.locator(".auto mark").count() > 20


def test_the_language_is_switched_in_the_page(look: Any) -> None:
    """One language is seen at a time, and the other is one click, or one arrow key, away."""
    page = look()
    assert page.locator("h1").inner_text() == "收款核对" and shown(page, "main > div [lang=en]") == 0

    page.locator("label[for=en]").click()

    assert page.locator("h1").inner_text() == "Reconciliation" and shown(page, "main > div [lang=zh]") == 0
    page.locator("#en").press("ArrowLeft")
    assert page.locator("h1").inner_text() == "收款核对"


@pytest.mark.parametrize("lane", ["review", "open", "auto"])
def test_a_lane_is_shown_alone(look: Any, lane: str) -> None:
    """A chip leaves its lane only, with as many receipts as it says; another chip brings all of them back."""
    page = look()
    chip = page.locator(f".chips label[for=s-{lane}]")
    count = int(chip.locator(".n").inner_text())

    chip.click()

    assert [one.get_attribute("class") for one in page.locator(".lane").all() if one.is_visible()] == [f"lane {lane}"]
    assert shown(page, ".r") == count > 0
    page.locator(".chips label[for=s-all]").click()
    assert shown(page, ".lane") == 3


def test_what_stopped_receipts_is_a_filter(look: Any) -> None:
    """A reason leaves the receipts that it stopped, and no automatic one."""
    page = look()
    chip = page.locator(".chips label.why").first
    count = int(chip.locator(".n").inner_text())

    chip.click()

    assert shown(page, ".r") == count and shown(page, ".lane.auto") == 0
    assert shown(page, ".r[class*=c1]") == count


def test_the_largest_that_wait_lead_to_their_evidence(look: Any) -> None:
    """A link from the summary opens the receipt."""
    page = look()

    page.locator(".first a").first.click()

    opened = page.locator(".r[open]")
    assert opened.count() == 1 and opened.locator(".one").is_visible()


def test_paper_carries_the_evidence_of_what_waits(look: Any) -> None:
    """Printed, the switches are gone, there is room for signatures, and what a person decides shows its reasons without a click."""
    page = look()
    page.emulate_media(media="print")

    assert shown(page, ".chips") == shown(page, ".langs") == 0
    assert page.locator(".signs").is_visible()
    assert page.locator(".review .fall, .open .note").first.is_visible()
    assert not page.locator(".auto .one").first.is_visible()

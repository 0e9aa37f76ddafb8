"""The overview in a real browser: with nothing in it, with a day in it, in both languages, light and dark, wide and narrow."""

import re
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from hub.demo.samples import order_book, orders_csv, statement_csv, statement_rows
from tests.conftest import Served

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
# Chromium's own calls home are kept in, so that nothing but the page under test speaks.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
]
PAGES = ("/", "/?lang=en", "/docs", "/docs?lang=en")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A hub that has read an order book and a statement, with something parked and a vendor that does not answer."""
    served = Served(home=tmp_path_factory.mktemp("hub"), database_url="", bus_url="", tenant_name="枢纽样板机械")
    try:
        hub, book = served.hub, Path(__file__).parents[2] / "hub" / "demo" / "configuration" / "order-book.toml"
        hub.definitions.save("main", "map", "order-book", book.read_text(encoding="utf-8"), by="test")
        hub.registry.save("main", "bank", connector="bank_csv", settings={}, title="基本户")
        columns = {"key_columns": ["order_no"]}
        hub.registry.save("main", "orders", connector="file_csv", settings=columns, title="订单台账", field_map="order-book")
        vendor = {"base_url": "http://127.0.0.1:9", "database": "d", "user": "u", "password": "not a real one"}
        hub.registry.save("main", "erp", connector="erp_tryton", settings=vendor, title="<b>ERP</b> & Co.")
        orders = order_book(40)
        served.upload("orders.csv", orders_csv(orders), "orders")
        served.upload("statement.csv", statement_csv(statement_rows(orders, 40)), "bank")
        broken = orders_csv(order_book(41)[40:]).replace(str(order_book(41)[40].amount).encode(), b"many")
        served.upload("more.csv", broken, "orders")
        served.api.post("/connections/erp/probe")
        served.until(lambda: not served.api.get("/receipts", params={"state": "new"}).json()["items"])
        yield served
    finally:
        served.stop()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A hub in which nothing has happened."""
    served = Served(home=tmp_path_factory.mktemp("hub"), database_url="", bus_url="")
    yield served
    served.stop()


@pytest.fixture(scope="module")
def browser(require: Callable[[object, str], None]) -> Iterator[Any]:
    require(Path(CHROMIUM).exists(), "needs Chromium: Debian's package chromium, or any as chromium on the PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def look(browser: Any) -> Iterator[Callable[..., Any]]:
    """`look(url, …)` opens a page. A test fails where the browser complains of anything, or asks another host."""
    complaints: list[str] = []
    contexts = []

    def open_(url: str, *, width: int = 1280, scheme: str = "light") -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        host = urlsplit(url).netloc
        page.on("request", lambda asked: None if urlsplit(asked.url).netloc in (host, "") else complaints.append(asked.url))
        page.goto(url)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not complaints


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_overview_fits_its_window(look: Any, full: Served, empty: Served, width: int, lang: str, scheme: str) -> None:
    """At every width the page is as wide as its window; what is wider scrolls in its own box."""
    for served in (full, empty):
        page = look(f"{served.url}/?lang={lang}", width=width, scheme=scheme)

        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.locator("h1").inner_text() == ("总览" if lang == "zh" else "Overview")
        ground = page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor")
        assert ground == ("rgb(16, 18, 22)" if scheme == "dark" else "rgb(245, 246, 248)")


def test_the_overview_shows_what_is_so(look: Any, full: Served) -> None:
    """Its figures are the API's: the balance of the statement, the lanes, the books; what fails says why and what to do."""
    statement = full.api.get("/statements").json()["items"][0]
    receipts = full.api.get("/receipts", params={"limit": 500}).json()["items"]

    page = look(full.url + "/")
    text = page.locator("main").inner_text()

    assert "已核平" in text and f"{Decimal(statement['closing']):,.2f}" in text
    assert f"{sum(Decimal(one['amount']) for one in receipts):,.2f}" in text
    books = {one["connection"]: one for one in full.api.get("/books").json()["items"]}
    for name, book in books.items():
        row = page.locator("section[aria-labelledby=came-in] tbody tr", has_text=name).inner_text().split()
        assert str(book["received"]) in row and "平" in row
    failing = page.locator("section[aria-labelledby=connections] li").first.inner_text()
    assert "<b>ERP</b> & Co." in failing and "不通" in failing and "怎么办" in failing
    parked = page.locator("section[aria-labelledby=parked] tbody tr")
    assert parked.count() == 1 and "怎么办" in parked.first.inner_text()


def test_every_link_leads_somewhere(look: Any, full: Served) -> None:
    """What the page links to is there: traces, raws, lists, the documentation, the other language."""
    page = look(full.url + "/")
    links = {link.get_attribute("href") for link in page.locator("a").all()}

    assert any(link.endswith("/trace") for link in links) and "/docs" in links
    for link in links:
        address = urljoin(full.url + "/", link)
        answer = httpx.get(address, trust_env=False)
        assert answer.status_code == 200, link
        if "#" in link:
            assert page.locator(f"[id='{link.partition('#')[2]}']").count() == 1
    page.get_by_role("link", name="English").click()
    assert page.locator("html").get_attribute("lang") == "en"
    page.get_by_role("link", name="中文").click()
    assert page.locator("html").get_attribute("lang") == "zh-Hans"


@pytest.mark.parametrize(("lang", "says"), [("zh", "建一个连接"), ("en", "Make a connection")])
def test_an_empty_hub_says_what_to_do_first(look: Any, empty: Served, lang: str, says: str) -> None:
    """Nothing is made up, and the first step is named."""
    text = look(f"{empty.url}/?lang={lang}").locator("main").inner_text()

    assert says in text and "/api/v1/statements" in text
    assert "¥" not in text


def test_the_keyboard_reaches_what_the_mouse_does(look: Any, full: Served) -> None:
    """The first stop leads past the frame; the focus can be seen."""
    page = look(full.url + "/")

    page.keyboard.press("Tab")

    assert page.evaluate("document.activeElement.getAttribute('href')") == "#content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_documentation_is_drawn_without_other_servers(look: Any, full: Served) -> None:
    """Swagger UI shows every endpoint and can try one, from files of this hub alone."""
    page = look(full.url + "/docs")
    page.wait_for_selector(".opblock")

    methods = sum(len(methods) for methods in full.get("/openapi.json").json()["paths"].values())
    assert page.locator(".opblock").count() == methods
    book = page.locator(".opblock", has_text="/api/v1/books")
    book.locator(".opblock-summary-control").click()
    book.get_by_role("button", name="Try it out").click()
    book.get_by_role("button", name="Execute").click()
    page.wait_for_selector(".live-responses-table")
    assert "balanced" in book.locator(".live-responses-table").inner_text()


def test_no_page_names_another_host(full: Served) -> None:
    """Nothing that is served asks a browser to fetch, run or send anything elsewhere; nothing in it is inline."""
    for path in PAGES:
        answer = full.get(path)
        page = answer.text
        policy = answer.headers["content-security-policy"]

        assert not re.findall(r"""(?:href|src|action|content|url)\s*=?\s*["'(]\s*(?:https?:)?//""", page), path
        assert " style=" not in page and "onclick" not in page and not re.search(r"<script(?![^>]* src=)|<style", page)
        assert "default-src 'none'" in policy and "script-src 'unsafe" not in policy and "http" not in policy
        for name in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
            file = full.get(name)
            assert file.status_code == 200, name
            if not name.startswith("/static/swagger"):
                assert "url(" not in file.text and "@import" not in file.text


@pytest.mark.parametrize(
    "path", ["/static/nothing.css", "/static/..%2Fpages.py", "/static/%2e%2e/pages.py", "/?lang=fr", "/static/"]
)
def test_what_is_no_page_is_a_problem(full: Served, path: str) -> None:
    """Only the named files are served, and only the languages that exist."""
    answer = full.get(path)

    assert answer.status_code in (404, 422) and answer.headers["content-type"] == "application/problem+json"

"""The site in headless Chromium: whole, quiet, and readable at any width and in the dark.

It is also used without script and without a mouse.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import pytest
from browser import beyond, contrasts, emulate, show, wait
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

WIDTHS = (400, 1400)

pytestmark = pytest.mark.slow


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def host(site):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@dataclass
class Visit:
    """What a page in a window of some width shows, says and asks for."""

    page: str
    width: int
    console: list[str]
    asked: list[str]
    failed: list[str]
    size: int
    beyond: list[str]
    pale: list[str]
    serious: list[str]
    links: list[str]
    ids: list[str]

    def __str__(self):
        return f"{self.page} at {self.width} pixels"


LINKS = """
const all = (selector) => [...document.querySelectorAll(selector)];
return [all("a[href]").map((each) => each.href), all("[id]").map((each) => each.id)];
"""


def visit(driver, violations, host, page, width):
    show(driver, host + page, width, "light")
    asked, failed, size = network(driver)
    links, ids = driver.execute_script(LINKS)
    seen = Visit(
        page=page,
        width=width,
        console=[entry["message"] for entry in driver.get_log("browser")],
        asked=asked,
        failed=failed,
        size=size,
        beyond=beyond(driver),
        pale=[],
        serious=[],
        links=links,
        ids=ids,
    )
    # In the dark only colours differ.
    for scheme, only in {"light": None, "dark": "color-contrast"}.items():
        emulate(driver, scheme)
        seen.pale += [f"{scheme}: {text}" for ratio, text in contrasts(driver) if ratio < 4.5]
        seen.serious += [f"{scheme}: {', '.join(found)}" for found in violations(driver, only)]
    return seen


def network(driver):
    """Read the log: addresses that were asked for, those that failed, and all bytes that came."""
    addresses, failed, size = {}, [], 0
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        given = message["params"]
        match message["method"]:
            case "Network.requestWillBeSent":
                addresses[given["requestId"]] = given["request"]["url"]
            case "Network.responseReceived" if given["response"]["status"] >= 400:
                failed.append(f"{given['response']['url']}: {given['response']['status']}")
            case "Network.loadingFailed":
                failed.append(f"{addresses.get(given['requestId'])}: {given['errorText']}")
            case "Network.loadingFinished":
                size += given["encodedDataLength"]
    return list(addresses.values()), failed, size


@pytest.fixture(scope="module")
def visits(browser, violations, site, host):
    """Visit each page once in each width."""
    browser.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
    pages = [path for path in site.rglob("*.html") if path.parent.name != "_static"]
    pages.append(site / "_static" / "report.html")
    names = sorted(path.relative_to(site).as_posix() for path in pages)
    return [visit(browser, violations, host, name, width) for name in names for width in WIDTHS]


def none(found: Iterable[str]) -> None:
    """Fail with all that was found, one a line."""
    text = "\n".join(found)
    assert not text, f"\n{text}"


def test_no_page_says_anything_on_the_console(visits):
    none(f"{each}: {text}" for each in visits for text in each.console)


def test_no_page_asks_another_host(visits, host):
    own = (host, "data:")
    none(f"{each}: {url}" for each in visits for url in each.asked if not url.startswith(own))


def test_nothing_that_a_page_asks_for_is_missing(visits):
    none(f"{each}: {text}" for each in visits for text in each.failed)


def test_a_page_weighs_less_than_1500_kB(visits):
    none(f"{each}: {each.size:,} bytes" for each in visits if each.size >= 1_500_000)
    assert min(each.size for each in visits) > 10_000, "all bytes are counted"


def test_each_internal_link_leads_to_a_file_and_to_an_element(visits, site, host):
    ids = {each.page: {"", *each.ids} for each in visits}
    links = {(each.page, link) for each in visits for link in each.links if link.startswith(host)}
    assert len(links) > 500

    def dead(link: str) -> bool:
        address = urlsplit(link)
        path = unquote(address.path[1:])
        return not (site / path).is_file() or unquote(address.fragment) not in ids.get(path, {""})

    none(f"{page}: {link.removeprefix(host)}" for page, link in sorted(links) if dead(link))


def test_an_id_is_on_a_page_once(visits):
    none(f"{each}: {name}" for each in visits for name, n in Counter(each.ids).items() if n > 1)


def test_nothing_is_wider_than_the_window(visits):
    none(f"{each}: {element}" for each in visits for element in each.beyond)


def test_every_text_has_contrast(visits):
    none(f"{each}: {text}" for each in visits for text in each.pale)


def test_axe_finds_nothing_serious(visits):
    none(f"{each}: {found}" for each in visits for found in each.serious)


@pytest.mark.parametrize("protocol", ["http", "file"])
def test_search_finds_from_logits_and_the_result_opens(browser, site, host, protocol):
    show(browser, host if protocol == "http" else (site / "index.html").as_uri(), 1400, "light")
    field = browser.find_element(By.CSS_SELECTOR, "[role=search] [name=q]")
    field.send_keys("from_logits", Keys.ENTER)
    results = (By.CSS_SELECTOR, "#search-results li a")
    wait(browser, lambda: browser.find_elements(*results))
    browser.find_element(*results).click()
    wait(browser, lambda: not browser.find_elements(By.ID, "search-results"))
    assert "from_logits" in browser.find_element(By.TAG_NAME, "article").text
    assert browser.get_log("browser") == []


@pytest.fixture
def scriptless(browser):
    """Let no page run a script."""
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    yield browser
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.parametrize(
    ("page", "parts"),
    [
        ("labs/boston.html", ["h1", "p", ".cell_input pre", ".cell_output pre", "table", "img"]),
        ("table.html", ["h1", "p", "table", "math"]),
    ],
)
def test_a_page_is_readable_without_script(scriptless, host, page, parts):
    show(scriptless, host + page, 1400, "light")
    theme = scriptless.execute_script("return document.body.dataset.theme")
    assert theme is None, "the theme is set by a script"
    for part in parts:
        found = scriptless.find_elements(By.CSS_SELECTOR, f"article {part}")
        assert any(each.is_displayed() and each.size["height"] > 5 for each in found), part
        if part == "img":
            assert all(int(each.get_property("naturalWidth")) > 300 for each in found)


def press(browser, *keys):
    ActionChains(browser).send_keys(*keys).perform()


def tab_to(browser, selector):
    """Press Tab until an element has the focus; whatever has it before can be seen."""
    script = """
        const {activeElement: now} = document, box = now.getBoundingClientRect();
        const seen = now.checkVisibility({visibilityProperty: true})
          && box.left >= 0 && box.right <= innerWidth;
        return [now.matches(arguments[0]), seen, now.outerHTML.slice(0, 120)];
    """
    for _ in range(200):
        press(browser, Keys.TAB)
        found, seen, element = browser.execute_script(script, selector)
        assert seen, f"has the focus out of sight: {element}"
        if found:
            return
    raise AssertionError(f"Tab does not reach {selector}")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_contents_of_a_page_can_be_used_by_keyboard(browser, host, width):
    show(browser, f"{host}labs/boston.html", width, "light")
    if width == 400:
        tab_to(browser, "#__toc")
        press(browser, Keys.SPACE)
    tab_to(browser, ".toc-tree li li a")
    press(browser, Keys.ENTER)
    script = "return document.querySelector(location.hash).getBoundingClientRect().top"
    wait(browser, lambda: 0 <= browser.execute_script(script) < 100)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_contents_of_the_site_can_be_used_by_keyboard(browser, host, width):
    show(browser, f"{host}index.html", width, "light")
    if width == 400:
        tab_to(browser, "#__navigation")
        press(browser, Keys.SPACE)
    tab_to(browser, ".toctree-checkbox")
    press(browser, Keys.SPACE)
    tab_to(browser, "a[href='labs/boston.html']")
    press(browser, Keys.ENTER)
    wait(browser, lambda: browser.current_url == f"{host}labs/boston.html")

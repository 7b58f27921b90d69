"""The site in headless Chromium: whole, quiet, and readable at any width, in the dark, by keyboard and without script."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import pytest
from browser import beyond, contrasts, emulate, show, wait
from conftest import ROOT, missing

WIDTHS = (400, 1400)
SCHEMES = ("light", "dark")
ENTER, SPACE, TAB = "\ue007", "\ue00d", "\ue004"  # as WebDriver sends them

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site as the documentation says."""
    if importlib.util.find_spec("sphinx") is None:
        missing("needs the dependency group docs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-d", folder / "doctrees", "docs"]
    subprocess.run([*command, folder / "html"], cwd=ROOT, check=True)
    return folder / "html"


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
    dim: list[list]
    serious: list[list[str]]
    links: list[str]
    ids: list[str]

    def __str__(self):
        return f"{self.page} at {self.width} pixels"


LINKS = """
const all = (selector) => [...document.querySelectorAll(selector)];
return [all("a[href]").map((each) => each.href), all("[id]").map((each) => each.id)];
"""


def visit(driver, violations, host, page, width):
    show(driver, host + page, width, SCHEMES[0])
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
        dim=[],
        serious=[],
        links=links,
        ids=ids,
    )
    for scheme in SCHEMES:
        emulate(driver, scheme)
        seen.dim += [[scheme, *each] for each in contrasts(driver) if each[0] < 4.5]
        seen.serious += [[scheme, *each] for each in violations(driver)]
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


def test_no_page_says_anything_on_the_console(visits):
    assert [f"{each}: {text}" for each in visits for text in each.console] == []


def test_no_page_asks_another_host_and_nothing_is_missing(visits, host):
    own = (host, "data:")
    foreign = [f"{each}: {url}" for each in visits for url in each.asked if not url.startswith(own)]
    assert foreign == []
    assert [f"{each}: {text}" for each in visits for text in each.failed] == []


def test_a_page_weighs_less_than_1500_kB(visits):
    assert [f"{each}: {each.size:,} bytes" for each in visits if each.size >= 1_500_000] == []
    assert min(each.size for each in visits) > 10_000


def test_each_internal_link_leads_to_a_file_and_to_an_element(visits, site, host):
    ids = {each.page: {"", "top", *each.ids} for each in visits}
    dead = set()
    for each in visits:
        for url in (link for link in each.links if link.startswith(host)):
            path, fragment = unquote(urlsplit(url).path[1:]), unquote(urlsplit(url).fragment)
            if not (site / path).is_file() or fragment not in ids.get(path, {""}):
                dead.add(f"{each.page}: {url.removeprefix(host)}")
    assert sorted(dead) == []


def test_an_id_is_on_a_page_once(visits):
    assert [
        f"{each}: {name}" for each in visits for name, n in Counter(each.ids).items() if n > 1
    ] == []


def test_nothing_is_wider_than_the_window(visits):
    assert [f"{each}: {element}" for each in visits for element in each.beyond] == []


def test_every_text_has_contrast(visits):
    assert [f"{each}: {found}" for each in visits for found in each.dim] == []


def test_axe_finds_nothing_serious(visits):
    assert [f"{each}: {found}" for each in visits for found in each.serious] == []


@pytest.mark.parametrize("protocol", ["http", "file"])
def test_search_finds_from_logits_and_the_result_opens(browser, site, host, protocol):
    show(browser, host if protocol == "http" else (site / "index.html").as_uri(), 1400, "light")
    browser.find_element("css selector", "[role=search] [name=q]").send_keys("from_logits" + ENTER)
    wait(browser, lambda: browser.find_elements("css selector", "#search-results li a"))
    browser.find_element("css selector", "#search-results li a").click()
    wait(browser, lambda: not browser.find_elements("css selector", "#search-results"))
    assert "from_logits" in browser.find_element("tag name", "article").text
    assert browser.get_log("browser") == []


def test_the_first_lab_is_readable_without_script(browser, host):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        show(browser, f"{host}labs/boston.html", 1400, "light")
        assert browser.execute_script("return document.body.dataset.theme") is None, "no script ran"
        for part in ("h1", "p", "pre", "table", "img", "math"):
            shown = [
                each
                for each in browser.find_elements("css selector", f"article {part}")
                if each.is_displayed() and each.size["height"] > 5
            ]
            assert shown, part
        image = browser.find_element("css selector", "article img")
        assert int(image.get_property("naturalWidth")) > 300
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def press(browser, *keys):
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(browser).send_keys(*keys).perform()


def tab_to(browser, selector):
    """Press Tab until an element has the focus and is seen to have it."""
    script = """
        const {activeElement: now} = document, box = now.getBoundingClientRect();
        return [now.matches(arguments[0]), now.checkVisibility({visibilityProperty: true})
          && box.left >= 0 && box.right <= innerWidth, now.outerHTML.slice(0, 120)];
    """
    for _ in range(200):
        press(browser, TAB)
        found, seen, element = browser.execute_script(script, selector)
        assert seen, f"out of sight: {element}"
        if found:
            return
    raise AssertionError(f"Tab does not reach {selector}")


def test_the_tables_of_contents_can_be_used_by_keyboard(browser, host):
    show(browser, f"{host}labs/boston.html", 1400, "light")
    tab_to(browser, ".toc-tree li li a")
    press(browser, ENTER)
    fragment = browser.execute_script("return location.hash")
    assert browser.execute_script(
        "return scrollY > 0 && document.querySelector(arguments[0])", fragment
    )
    tab_to(browser, ".sidebar-tree a[href='../table.html']")
    press(browser, ENTER)
    wait(browser, lambda: browser.current_url == f"{host}table.html")

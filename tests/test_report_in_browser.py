"""The report in headless Chromium: quiet, sortable, readable at any width and in the dark."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
from browser import beyond, contrasts, show
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from sweep_tables import split_seeds, tables

from nnloss.report.html import page
from nnloss.reproduction.results import Results

EVIL = "<script>alert(1)</script>"

UNFOLD = "document.querySelectorAll('details').forEach((each) => (each.open = true))"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Write the page of a sweep, one of whose classes and folders has a wicked name."""
    made = tables(boston=2, wafer=0, cifar10=2)
    for side in ("actual", "predicted"):
        made.confusion[side] = made.confusion[side].replace("cat", EVIL)
    made.seeds["folder"] = made.seeds["folder"].str.replace("boston/", f"{EVIL}/")
    parts = {"seeds": made.seeds, "curves": made.curves, "confusion": made.confusion}
    results = Results.of(parts | {"splits": split_seeds(5)}, made.classical, made.records)
    html = page(results, title=f"Report of {EVIL}")
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html, encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def opened(browser, address):
    """Open the page anew: `opened(width, media, scheme)`."""

    def open_page(width=1400, media="screen", scheme="light"):
        show(browser, address, width, scheme, media)
        return browser

    return open_page


def column(browser, name):
    """Find the header button of a column of the verdicts, and read the column."""
    heads = browser.find_elements(By.CSS_SELECTOR, "table.verdicts thead th")
    place = next(i for i, head in enumerate(heads) if head.text.startswith(name))
    script = (
        "return [...document.querySelectorAll('table.verdicts tbody tr')]"
        ".map((row) => row.cells[arguments[0]].dataset.value)"
    )
    return heads[place], browser.execute_script(script, place)


def numbers(values):
    """Turn what there is into numbers; what is missing must come last."""
    there = [value for value in values if value != ""]
    assert values[len(there) :] == [""] * (len(values) - len(there))
    return [float(value) for value in there]


def test_it_is_quiet_and_asks_for_nothing(opened, address):
    browser = opened()
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    assert asked[0] == address
    assert {urlsplit(url).scheme for url in asked[1:]} <= {"data"}
    assert browser.get_log("browser") == []


def test_a_name_is_shown_and_not_run(opened):
    browser = opened()
    with pytest.raises(NoAlertPresentException):
        browser.switch_to.alert.accept()
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 1
    assert browser.title == f"Report of {EVIL}"
    drawn, links = browser.execute_script(
        "const all = (which) => [...document.querySelectorAll(which)];"
        "return [all('svg text').map((each) => each.textContent),"
        "        all('#folders ~ details a').map((each) => [each.textContent, each.href])]"
    )
    assert EVIL in drawn
    hrefs = [href for text, href in links if EVIL in text]
    assert len(hrefs) == 4  # one for each configuration of Boston
    assert all("/%3Cscript%3Ealert%281%29%3C/script%3E/" in href for href in hrefs)


def test_a_foreign_script_is_not_run(opened):
    browser = opened()
    browser.execute_script(
        "const added = document.createElement('script');"
        "added.textContent = 'document.title = \"run\"'; document.body.append(added);"
    )
    assert browser.title != "run"
    (entry,) = browser.get_log("browser")
    assert "Content Security Policy" in entry["message"]


def test_tables_sort_by_number_and_back(opened):
    browser = opened()
    head, original = column(browser, "Published")
    assert head.get_attribute("aria-sort") == "none"
    head.find_element(By.TAG_NAME, "button").click()
    head, higher_is_better = column(browser, "Published")
    assert head.get_attribute("aria-sort") == "ascending"
    assert numbers(higher_is_better) == sorted(map(float, original))
    assert numbers(higher_is_better) != [float(value) for value in sorted(original)], "not as text"
    head.find_element(By.TAG_NAME, "button").click()
    head, downwards = column(browser, "Published")
    assert head.get_attribute("aria-sort") == "descending"
    assert numbers(downwards) == sorted(map(float, original), reverse=True)
    head.find_element(By.TAG_NAME, "button").click()
    head, back = column(browser, "Published")
    assert (head.get_attribute("aria-sort"), back) == ("none", original)


def test_they_sort_by_keyboard_and_what_is_missing_stays_last(opened):
    browser = opened()
    head, original = column(browser, "Percentile")
    assert "" in original
    head.find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    higher_is_better = numbers(column(browser, "Percentile")[1])
    assert higher_is_better == sorted(higher_is_better)
    focused = browser.switch_to.active_element
    focused.send_keys(Keys.SPACE)
    head, downwards = column(browser, "Percentile")
    assert numbers(downwards) == higher_is_better[::-1]
    assert head.get_attribute("aria-sort") == "descending"
    focused.send_keys(Keys.TAB)
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    other, _ = column(browser, "p, corrected")
    assert other.get_attribute("aria-sort") == "ascending"
    assert head.get_attribute("aria-sort") == "none"


@pytest.mark.parametrize("width", [400, 700, 1400])
def test_nothing_is_wider_than_the_window(opened, width):
    browser = opened(width)
    browser.execute_script(UNFOLD)
    assert browser.execute_script("return innerWidth") == width
    assert beyond(browser) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_axe_finds_nothing_serious(opened, violations, width, scheme):
    browser = opened(width, scheme=scheme)
    browser.execute_script(UNFOLD)
    assert violations(browser) == []


def test_on_a_wide_window_the_verdicts_need_no_scrolling(opened):
    browser = opened(1400)
    box = browser.find_element(By.CSS_SELECTOR, ".scroll")
    assert browser.execute_script("return arguments[0].scrollWidth", box) <= box.size["width"]


def test_on_a_phone_number_ours_and_verdict_need_no_scrolling(opened):
    browser = opened(400)
    for box in browser.find_elements(By.CSS_SELECTOR, ".scroll"):
        if box.is_displayed() and not box.find_elements(By.XPATH, "ancestor::details"):
            assert browser.execute_script("return arguments[0].scrollWidth", box) <= 400
    heads = browser.find_elements(By.CSS_SELECTOR, "table.verdicts thead th")
    shown = [head.text for head in heads if head.is_displayed()]
    assert shown == ["Number", "Published", "Ours", "Verdict"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("media", ["screen", "print"])
def test_every_text_has_contrast(opened, media, scheme):
    browser = opened(media=media, scheme=scheme)
    browser.execute_script(UNFOLD)
    ratios = contrasts(browser)
    assert len(ratios) > 800
    assert [(ratio, text) for ratio, text in ratios if ratio < 4.5] == []


def test_a_dark_room_gets_a_dark_page_and_paper_a_white_one(opened):
    script = "return getComputedStyle(document.body).backgroundColor"
    assert opened(scheme="dark").execute_script(script) == "rgb(20, 23, 26)"
    assert opened(scheme="light").execute_script(script) == "rgb(253, 252, 250)"
    assert opened(scheme="dark", media="print").execute_script(script) == "rgb(255, 255, 255)"


def test_on_paper_all_but_links_is_unfolded_and_fits(opened):
    browser = opened(width=700, media="print")  # A4 but for its margins
    script = """
        const boxes = [...document.querySelectorAll('.scroll')];
        const hidden = [...document.querySelectorAll('details > :not(summary), nav, #folders')]
          .filter((each) => !each.checkVisibility() && !each.closest('#folders ~ details'));
        const heights = [...document.querySelectorAll('.drawing')].map((each) => each.clientHeight);
        return [boxes.map((box) => box.scrollWidth - box.clientWidth),
                hidden.map((each) => each.id || each.tagName), Math.max(...heights)];
    """
    beyond, hidden, highest = browser.execute_script(script)
    assert max(beyond) <= 0
    assert hidden == ["NAV", "folders"]
    assert highest < 1122 / 3  # of A4: no page is left half empty by a figure that did not fit

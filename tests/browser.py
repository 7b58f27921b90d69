"""Headless Chromium and axe-core: fixtures, and what tests of pages share."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import missing

ARGUMENTS = """
    --headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --force-prefers-reduced-motion
""".split()

AXE = "axe-core@4.14.1"
#: SHA-512 of the package, as its registry gives it.
AXE_HASH = (
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)
# What is in a frame is a page of its own.
RUN_AXE = """
const [rules, done] = arguments;
axe.run(document, {resultTypes: ["violations"], iframes: false, ...rules}).then(
  ({violations}) => done(violations
    .filter(({impact}) => impact === "serious" || impact === "critical")
    .flatMap(({id, nodes}) => nodes.map(({target, html, any, all, none}) =>
      [id, String(target), html.slice(0, 120),
       [...any, ...all, ...none].map(({message}) => message).join("; ")]))),
  (error) => done([["axe-core", "", "", String(error)]]));
"""

# Of each text: the colour, and what is behind it, as far as that has a colour of its own.
CONTRASTS = """
const channels = (css) => css.match(/[\\d.]+/g).map(Number);
const part = (value) => value / 255 <= 0.03928
  ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
const light = ([red, green, blue]) =>
  0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue);
function behind(element) {
  for (let each = element; each; each = each.parentElement) {
    const found = channels(getComputedStyle(each).backgroundColor);
    if (found.length === 3 || found[3] === 1) return found;
  }
  return [255, 255, 255];
}
function shaded(element, colour) {  // at worst a text is on the darkest cell of a matrix
  let most = colour;
  for (const cell of element.closest("svg")?.querySelectorAll("path") ?? []) {
    const style = getComputedStyle(cell);
    const opacity = Number(style.fillOpacity);
    if (style.fill === "none" || opacity === 0 || opacity === 1) continue;
    const fill = channels(style.fill);
    const mixed = colour.map((value, place) => value + opacity * (fill[place] - value));
    const far = (other) => Math.abs(light(other) - light(colour));
    if (far(mixed) > far(most)) most = mixed;
  }
  return most;
}
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const found = [];
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  const seen = element.checkVisibility({opacityProperty: true, visibilityProperty: true});
  if (!walker.currentNode.data.trim() || !seen) continue;
  const style = getComputedStyle(element);
  const inside = element.namespaceURI.endsWith("svg");
  const ink = light(channels(inside ? style.fill : style.color));
  const paper = light(shaded(element, behind(element).slice(0, 3)));
  const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  found.push([ratio, walker.currentNode.data.trim()]);
}
return found;
"""

# What has a bar of its own, which the keyboard reaches, may be wider than the window.
BEYOND = """
const scrolls = (element) => {
  const box = element.closest("[tabindex]");
  return box && (getComputedStyle(box).overflowX !== "visible" || scrolls(box.parentElement));
};
const wide = [...document.querySelectorAll("html, body, body :not(svg *)")].filter((each) =>
  each === document.documentElement ? each.scrollWidth > innerWidth
  : each.checkVisibility({visibilityProperty: true})
    && each.getBoundingClientRect().right > innerWidth + 0.5 && !scrolls(each));
return wide.filter((each) => ![...each.children].some((child) => wide.includes(child)))
  .map((each) => each.outerHTML.replaceAll(/\\s+/g, " ").slice(0, 120));
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Start Chromium, which keeps what its console says and what it asks for."""
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        missing("needs Debian's chromium and chromium-driver")
    # Imported here, for only slow tests have it.
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    profile = f"--user-data-dir={tmp_path_factory.mktemp('profile')}"
    for argument in (*ARGUMENTS, profile):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(chromedriver))
    yield driver
    driver.quit()


def wait(driver: Any, until: Callable[[], Any]) -> None:
    """Wait until something is true."""
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(driver, 10).until(lambda _: until())


def show(driver: Any, address: str, width: int, scheme: str, media: str = "screen") -> None:
    """Open a page, forget what the logs had, and wait until the whole page is there."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    emulate(driver, scheme, media)
    for kind in ("browser", "performance"):
        driver.get_log(kind)
    driver.get(address)
    # On busy cores `get` was seen to return while half of the page was there.
    wait(driver, lambda: driver.execute_script("return document.readyState") == "complete")


def emulate(driver: Any, scheme: str, media: str = "screen") -> None:
    """Let the page that is open be seen in the light or in the dark, or on paper."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def beyond(driver: Any) -> list[str]:
    """Find elements that are wider than the window; what has a bar of its own may be."""
    return driver.execute_script(BEYOND)


def contrasts(driver: Any) -> list[tuple[float, str]]:
    """Compute the contrast of each text that is seen."""
    return driver.execute_script(CONTRASTS)


@pytest.fixture(scope="session")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[list[str]]]:
    """Return a function that lists what axe-core calls serious or critical on the open page.

    It returns the rule, a selector, the element and what is wrong, and may be asked for one rule.
    """
    if shutil.which("npm") is None:
        missing("needs Debian's npm, which fetches axe-core")
    folder = tmp_path_factory.mktemp("axe")
    command = ["npm", "pack", "--silent", "--prefer-offline", AXE]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        missing(f"{' '.join(command)} failed, and said: {done.stdout}{done.stderr}")
    (package,) = folder.glob("*.tgz")
    found = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    assert found == AXE_HASH, f"{AXE} is not the package whose hash is pinned"
    with tarfile.open(package) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        axe = member.read().decode()

    def violations(driver: Any, only: str | None = None) -> list[list[str]]:
        rules = {"runOnly": [only]} if only else {}
        return driver.execute_async_script(axe + RUN_AXE, rules)

    return violations

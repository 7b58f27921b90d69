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
    --disable-component-update --disable-sync
""".split()

AXE = "axe-core@4.14.1"
#: SHA-512 of the package, as its registry gives it.
AXE_HASH = (
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)
# What is in a frame is a page of its own.
RUN_AXE = """
const done = arguments[1];
axe.run(document, {resultTypes: ["violations"], iframes: false, rules: arguments[0]}).then(
  ({violations}) => done(violations
    .filter(({impact}) => impact === "serious" || impact === "critical")
    .flatMap(({id, nodes}) => nodes.map(({target, html, any, all, none}) =>
      [id, String(target), html.slice(0, 120),
       [...any, ...all, ...none].map(({message}) => message).join("; ")]))),
  (error) => done([["axe-core", "", "", String(error)]]));
"""

BEYOND = """
const scrolls = (element) => element !== document.documentElement && element !== document.body
  && (getComputedStyle(element).overflowX !== "visible" || scrolls(element.parentElement));
return [...document.querySelectorAll("html, body, body :not(svg *)")].filter((each) =>
  each === document.documentElement ? each.scrollWidth > innerWidth
  : each.getBoundingClientRect().right > innerWidth + 0.5 && !scrolls(each)
).map((each) => each.outerHTML.slice(0, 120));
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Start Chromium, which keeps what its console says and what it asks for."""
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        missing("needs Debian's chromium and chromium-driver")
    # Imported here, for the fast tests are collected without it.
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


def show(driver: Any, address: str, width: int, scheme: str, media: str = "screen") -> None:
    """Open a page, forget what the logs had, and wait until the whole page is there."""
    from selenium.webdriver.support.ui import WebDriverWait

    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
    for kind in ("browser", "performance"):
        driver.get_log(kind)
    driver.get(address)
    # On busy cores `get` was seen to return while half of the page was there.
    script = "return document.readyState"
    WebDriverWait(driver, 60).until(lambda _: driver.execute_script(script) == "complete")


def beyond(driver: Any) -> list[str]:
    """Find elements that are wider than the window; what has a bar of its own may be."""
    return driver.execute_script(BEYOND)


@pytest.fixture(scope="session")
def violations(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[list[str]]]:
    """Find what axe-core calls serious or critical: rule, selector, element and what is wrong."""
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

    def violations(driver: Any, **rules: bool) -> list[list[str]]:
        """Run axe-core on the page that is open; ``color_contrast=False`` leaves a rule out."""
        driver.execute_script(axe)
        given = {name.replace("_", "-"): {"enabled": on} for name, on in rules.items()}
        return driver.execute_async_script(RUN_AXE, given)

    return violations

"""A real browser for tests of pages: `Page` loads one, `chromium` is the fixture that runs it.

`axe` is the text of axe-core, which is not part of this repository: FISHEMBED_AXE names its
`axe.min.js`, or a package that carries it is installed (axe-playwright-python, axe-core-python).
"""

from __future__ import annotations

import json
import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
)
_AXE_CARRIERS = ("axe_playwright_python", "axe_core_python")
_RUN_AXE = (
    "const done = arguments[0];"
    " axe.run(document).then((found) => done(found.violations.map((one) =>"
    " [one.id, one.help, one.nodes.map((node) => node.html.slice(0, 200))])))"
)


def _missing(reason):
    if os.environ.get("FISHEMBED_REQUIRE_BROWSER") == "1":
        pytest.fail(f"FISHEMBED_REQUIRE_BROWSER=1, but {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    found = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    binary, chromedriver = next(filter(None, found), None), shutil.which("chromedriver")
    if not binary or not chromedriver:
        _missing("there is no chromium with its chromedriver here")
    try:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
    except ImportError:
        _missing("selenium is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    profile = tmp_path_factory.mktemp("profile")
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(chromedriver))
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def axe():
    place = os.environ.get("FISHEMBED_AXE")
    if place:
        return Path(place).read_text(encoding="utf-8")
    for name in _AXE_CARRIERS:
        spec = find_spec(name)
        for folder in (spec and spec.submodule_search_locations) or ():
            if (Path(folder) / "axe.min.js").is_file():
                return (Path(folder) / "axe.min.js").read_text(encoding="utf-8")
    _missing("axe-core is not here: FISHEMBED_AXE names no axe.min.js")
    raise AssertionError


def violations(page, axe):
    """Return what axe-core finds wrong in a page as it is now."""
    page.js(axe)
    return page.driver.execute_async_script(_RUN_AXE)


class Page:
    def __init__(self, driver, path, *, width=1280, dark=False):
        self.driver = driver
        for kind in ("browser", "performance"):
            driver.get_log(kind)
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=width < 500,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.cdp("Emulation.setEmulatedMedia", media="", features=[scheme])
        driver.get(path.as_uri())

    def cdp(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def settle(self):
        """Wait until what was scrolled or pointed at has been laid out and drawn."""
        self.driver.execute_async_script(
            "const done = arguments[0];"
            " requestAnimationFrame(() => requestAnimationFrame(() => done()))"
        )

    def click(self, selector):
        """Click the first such element once there is one: cards are made as they come in sight."""
        from selenium.webdriver.support.wait import WebDriverWait

        script = "const e = document.querySelector(arguments[0]); e && e.click(); return !!e"
        WebDriverWait(self.driver, 60).until(lambda _: self.js(script, selector))

    def move_to(self, x, y):
        self.settle()
        self.cdp("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.settle()
        return self.js("return tip.hidden ? null : tip.textContent")

    def box(self, selector):
        return self.js(
            "const e = document.querySelector(arguments[0]); e.scrollIntoView({block: 'start',"
            " behavior: 'instant'}); const b = e.getBoundingClientRect();"
            " return [b.left, b.top, b.width, b.height]",
            selector,
        )

    def each(self, selector, what):
        script = "return [...document.querySelectorAll(arguments[0])].map((e) => %s)"
        return self.js(script % what, selector)

    def console(self):
        return [e["message"] for e in self.driver.get_log("browser") if e["level"] == "SEVERE"]

    def requested(self):
        events = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        return [
            e["params"]["request"]["url"]
            for e in events
            if e["method"] == "Network.requestWillBeSent"
        ]

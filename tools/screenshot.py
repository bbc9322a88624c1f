"""Take a screenshot of a report's page: ``python tools/screenshot.py reports/demo-linear``.

Needs chromium with its chromedriver, and selenium (the extra `dev`).
"""

from __future__ import annotations

import argparse
import base64
import shutil
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path, help="a run folder or an HTML file")
    parser.add_argument("--output", type=Path, default=Path("docs/images/report.png"))
    parser.add_argument("--size", default="1280x1600", help="width x height in pixels")
    parser.add_argument("--dark", action="store_true")
    given = parser.parse_args()
    page = given.page / "index.html" if given.page.is_dir() else given.page
    width, height = map(int, given.size.split("x"))
    options = webdriver.ChromeOptions()
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    theme = {"name": "prefers-color-scheme", "value": "dark" if given.dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": [theme]})
    driver.get(page.absolute().as_uri())
    screenshot = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    given.output.write_bytes(base64.b64decode(screenshot["data"]))
    driver.quit()


if __name__ == "__main__":
    main()

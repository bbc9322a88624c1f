"""Take a screenshot of a report's page: ``python tools/screenshot.py reports/demo-linear``.

``--part ID`` takes the heading of that id and what follows up to the next one. Needs chromium with
its chromedriver, and selenium (the extra `dev`).
"""

from __future__ import annotations

import argparse
import base64
import io
import shutil
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

_PART = """
document.querySelectorAll("nav").forEach((one) => { one.style.position = "static"; });
const first = document.getElementById(arguments[0]);
let last = first, next = first.nextElementSibling;
while (next && !/^H[1-4]$/.test(next.tagName)) { last = next; next = next.nextElementSibling; }
const parts = [];
for (let one = first; one !== next; one = one.nextElementSibling) parts.push(one);
if (!parts.some((one) => one.tagName === "FIGURE"))
  parts.filter((one) => one.tagName === "DETAILS").forEach((one) => { one.open = true; });
const box = first.getBoundingClientRect(), end = last.getBoundingClientRect();
return [Math.max(0, box.left - 12), box.top + scrollY - 12,
        Math.max(box.width, end.width) + 24, end.bottom - box.top + 24];
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path, help="a run folder or an HTML file")
    parser.add_argument("--output", type=Path, default=Path("docs/images/report.png"))
    parser.add_argument("--size", default="1280x1600", help="width x height in pixels")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--part", help="id of a heading: only what belongs to it")
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
    wanted = {"format": "png"}
    if given.part:
        x, y, wide, high = driver.execute_script(_PART, given.part)
        clip = {"x": x, "y": y, "width": wide, "height": min(high, height), "scale": 1}
        wanted |= {"clip": clip, "captureBeyondViewport": True}
    screenshot = base64.b64decode(driver.execute_cdp_cmd("Page.captureScreenshot", wanted)["data"])
    if given.output.suffix == ".webp":
        Image.open(io.BytesIO(screenshot)).save(given.output, quality=80, method=6)
    else:
        given.output.write_bytes(screenshot)
    driver.quit()


if __name__ == "__main__":
    main()

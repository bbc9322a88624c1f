"""`fishembed serve` as a person starts it: a process of its own, and a page in a real browser."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from browser_page import Page, violations
from PIL import Image

from fishembed import extract, run_fit

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a folder with photos and a run of them."""
    home = tmp_path_factory.mktemp("serve")
    rng = np.random.default_rng(0)
    for k, name in enumerate(("cod", "eel")):
        (home / "photos" / name).mkdir(parents=True)
        for i in range(12):
            tone = np.array([(200, 60, 40), (30, 90, 200)][k])
            pixels = np.clip(tone + rng.integers(-30, 30, (64, 96, 3)), 0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(home / f"photos/{name}/{i}.png")
    store = extract(home / "photos", home / "fish.h5", encoder="embedded", device="cpu").store
    run_fit(store, head="centroid", reports=home / "reports")
    return home


def start(home, *options):
    made = subprocess.Popen(
        [sys.executable, "-m", "fishembed", "serve", "fish-centroid", "--port", "0", *options],
        cwd=home,
        env={**os.environ, "FISHEMBED_REPORTS": str(home / "reports")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = []
    for line in made.stdout:
        said.append(line)
        if "in a browser" in line:
            return made, line.split()[1]
    pytest.fail(f"it ended: {''.join(said)}")


def stop(process):
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    process.stdout.close()


@pytest.fixture(scope="module")
def address(home):
    process, address = start(home)
    yield address
    stop(process)


def send(address, *files, headers=()):
    body = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="photos"; filename="'
        + name.encode()
        + b'"\r\n\r\n'
        + data
        + b"\r\n"
        for name, data in files
    )
    request = urllib.request.Request(
        f"{address}api/predict?thumbnails=1",
        body + b"--x--\r\n",
        {"Content-Type": "multipart/form-data; boundary=x", **dict(headers)},
    )
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, json.loads(reply.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_a_started_process_answers_with_its_training_images(address, home):
    data = (home / "photos/cod/3.png").read_bytes()
    status, found = send(address, ("../3.png", data))
    answer = found["answers"][0]
    assert (status, answer["file"], answer["species"]) == (200, "../3.png", "cod")
    assert {near["label"] for near in answer["nearest"]} == {"cod"}
    assert all(near["thumbnail"].startswith("data:image/jpeg") for near in answer["nearest"])


def test_another_name_for_this_machine_is_refused(address, home):
    data = (home / "photos/cod/3.png").read_bytes()
    status, found = send(address, ("a.png", data), headers=[("Host", "evil.example")])
    assert status == 401
    assert "evil.example" in found["error"]


def test_a_hundred_requests_at_once_are_all_answered(address, home):
    files = sorted((home / "photos").rglob("*.png"))

    def one(at):
        file = files[at % len(files)]
        return file.parent.name, send(address, (file.name, file.read_bytes()))

    with ThreadPoolExecutor(100) as pool:
        found = list(pool.map(one, range(100)))
    assert [status for _, (status, _) in found] == [200] * 100
    assert [reply["answers"][0]["species"] for _, (_, reply) in found] == [
        name for name, _ in found
    ]


def test_any_other_address_needs_the_token_that_is_printed(chromium, home):
    process, address = start(home, "--host", "0.0.0.0")
    try:
        address = address.replace("0.0.0.0", "127.0.0.1")
        data = (home / "photos/cod/3.png").read_bytes()
        assert send(address, ("a.png", data))[0] == 401
        token = process.stdout.readline().removeprefix("its token: ").strip()
        assert len(token) > 30
        allowed = [("Authorization", f"Bearer {token}")]
        assert send(address, ("a.png", data), headers=allowed)[0] == 200
        page = Page(chromium, Address(address))
        page.js(
            "const f = document.querySelector('input'); f.value = arguments[0];"
            " f.form.requestSubmit()",
            token,
        )
        chromium.set_script_timeout(30)
        wait_for(page, "return document.getElementById('drop') !== null")
    finally:
        stop(process)


def test_a_port_that_is_taken_ends_in_a_sentence(address, home):
    port = address.rstrip("/").rpartition(":")[2]
    done = subprocess.run(
        [sys.executable, "-m", "fishembed", "serve", "fish-centroid", "--port", port],
        cwd=home,
        env={**os.environ, "FISHEMBED_REPORTS": str(home / "reports")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


class Address:
    """A page's address where `Page` expects a file."""

    def __init__(self, url):
        self._url = url

    def as_uri(self):
        return self._url


def upload(page, files):
    """Choose files as a person does."""
    page.cdp("DOM.enable")
    root = page.cdp("DOM.getDocument")["root"]["nodeId"]
    node = page.cdp("DOM.querySelector", nodeId=root, selector="#files")["nodeId"]
    page.cdp("DOM.setFileInputFiles", nodeId=node, files=[str(Path(f).resolve()) for f in files])


def wait_for(page, script):
    return page.driver.execute_async_script(
        "const done = arguments[0]; const look = () => { const found = (() => {"
        + script
        + "})(); if (found) done(found); else setTimeout(look, 50); }; look()"
    )


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_photos_are_answered_in_the_page(chromium, axe, address, home, width, dark):
    strange = home / "strange.png"
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    Image.fromarray(noise).save(strange)
    (home / "text.jpg").write_text("no photo")
    chromium.set_script_timeout(60)
    page = Page(chromium, Address(address), width=width, dark=dark)
    upload(page, [home / "photos/cod/3.png", home / "text.jpg", strange])
    wait_for(page, "return document.getElementById('counts').textContent.startsWith('3 of 3')")
    said = page.each(".answer h2", "e.textContent")
    assert said[0].startswith("None of these")
    assert said[1] == "Not answered"
    assert said[2].startswith("cod")
    assert page.each(".answer .file", "e.textContent") == ["strange.png", "text.jpg", "3.png"]
    assert page.js("return document.querySelectorAll('.answer:last-child .near img').length") == 3
    assert page.js(
        "return [...document.querySelectorAll('.near img')].every((i) => i.naturalWidth > 0)"
    )
    assert page.js("return document.documentElement.scrollWidth") <= width
    assert violations(page, axe) == []
    assert [
        url for url in page.requested() if not url.startswith((address, "blob:", "data:"))
    ] == []
    assert all("415" in line for line in page.console())


def test_photos_can_be_dropped_anywhere(chromium, address):
    chromium.set_script_timeout(60)
    page = Page(chromium, Address(address))
    page.driver.execute_async_script(
        "const done = arguments[0]; const c = document.createElement('canvas'); c.width = 60;"
        " c.height = 40; const x = c.getContext('2d'); x.fillStyle = 'rgb(200,60,40)';"
        " x.fillRect(0, 0, 60, 40); c.toBlob((b) => { const t = new DataTransfer();"
        " t.items.add(new File([b], '<i>x</i>.png', {type: 'image/png'}));"
        " document.body.dispatchEvent(new DragEvent('drop', {dataTransfer: t, bubbles: true,"
        " cancelable: true})); done(); })"
    )
    wait_for(
        page, "return document.getElementById('counts').textContent === '1 of 1 photo answered'"
    )
    assert page.js("return document.querySelectorAll('.answer h2').length") == 1
    assert page.js("return document.querySelectorAll('.answer i').length") == page.js(
        "return document.querySelectorAll('.guesses i').length"
    )

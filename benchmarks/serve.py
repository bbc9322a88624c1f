"""Seconds per answer of `fishembed serve`, one at a time and 100 at once, and what it refuses.

Run it as `python -P benchmarks/serve.py RUN PHOTO …` from the run's workspace.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

LINE = b"--x\r\n"
HEAD = 'Content-Disposition: form-data; name="photos"; filename="{}"\r\n\r\n'


def ask(address, files, path="/api/predict?thumbnails=1"):
    """Send files; return the status, the answer and the seconds it took."""
    body = b"".join(
        LINE + HEAD.format(name).encode() + data + b"\r\n" for name, data in files
    ) + b"--x--\r\n"  # fmt: skip
    began = time.perf_counter()
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=600)
    connection.request("POST", path, body, {"Content-Type": "multipart/form-data; boundary=x"})
    reply = connection.getresponse()
    found = json.loads(reply.read())
    connection.close()
    return reply.status, found, time.perf_counter() - began


def started(run):
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "fishembed", "serve", run, "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if "in a browser" in line:
            return process, line.split()[1], time.perf_counter() - began
    raise SystemExit("it did not start")


def strange():
    """Return files that are refused: 200 megapixels, a zip, a text, a torn photo."""
    huge, packed, photo = io.BytesIO(), io.BytesIO(), io.BytesIO()
    Image.new("1", (20_000, 10_000)).save(huge, "PNG")
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr("../../a.png", b"x")
    Image.effect_noise((64, 64), 50).save(photo, "PNG")
    return {
        "200 megapixels": huge.getvalue(),
        "a zip": packed.getvalue(),
        "a text": b"no photo at all",
        "a torn photo": photo.getvalue()[:500],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("photos", nargs="+", type=Path)
    given = parser.parse_args()
    photos = [(path.name, path.read_bytes()) for path in given.photos]
    process, address, seconds = started(given.run)
    try:
        cold = ask(address, photos[:1])[2]
        warm = [ask(address, [photos[i % len(photos)]])[2] for i in range(50)]
        print(f"started in {seconds:.1f} s, first answer {cold:.2f} s; then median "
              f"{np.median(warm):.2f}, 95% under {np.quantile(warm, 0.95):.2f} s")  # fmt: skip
        began = time.perf_counter()
        with ThreadPoolExecutor(100) as pool:
            found = list(pool.map(lambda i: ask(address, [photos[i % len(photos)]]), range(100)))
        seconds = time.perf_counter() - began
        print(f"100 at once: {sum(status == 200 for status, *_ in found)} answered in {seconds:.1f}"
              f" s, {100 / seconds:.1f} a second, the last after "
              f"{max(took for *_, took in found):.1f} s")  # fmt: skip
        batch = (photos * 64)[:64]
        status, _, seconds = ask(address, batch)
        print(f"64 in one upload: {status}, {seconds:.1f} s, {64 / seconds:.1f} a second")
        for name, data in strange().items():
            status, found, seconds = ask(address, [("../../etc/passwd", data)])
            print(f"{name}: {status}, {found['answers'][0]['problem']}, {seconds:.2f} s")
        status, found, _ = ask(address, [("a.png", bytes(40_000_000))])
        print(f"40 MB: {status}, {found['error']}")
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()

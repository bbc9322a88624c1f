"""Keys in the URLs of a manifest, from its images to the page of a run."""

from __future__ import annotations

import http.server
import io
import threading

import pytest
from fake_encoder import FakeEncoder
from PIL import Image

from fishembed import FeatureStore, run_fit, write_report
from fishembed.extraction import extract
from fishembed.images import ImageFiles, read_bytes

KEY = "hunter2hunter2"


@pytest.fixture
def address():
    """A server that gives an image to whoever has the key."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if KEY not in self.path:
                self.send_error(403)
                return
            data = io.BytesIO()
            shade = sum(self.path.encode()) % 255
            Image.new("RGB", (20, 20), (shade, 40, 90)).save(data, "PNG")
            self.send_response(200)
            self.send_header("Content-Length", str(data.tell()))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data.getvalue())

        do_HEAD = do_GET  # noqa: N815 - the name the server calls

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_keys_open_images_and_are_kept_nowhere(address, workspace):
    lines = [
        f"{address}/{label}-{i}.png?X-Amz-Signature={KEY}&X-Amz-Date=1,{label}"
        for label in ("cod", "eel")
        for i in range(6)
    ]
    lines += [f"{address}/lost.png?sig=hunter2,cod", f"http://me:{KEY}@127.0.0.1:1/x.png,eel"]
    manifest = workspace / "fish.csv"
    manifest.write_text("path,label\n" + "\n".join(lines) + "\n")
    done = extract(manifest, workspace / "fish.h5", encoder=FakeEncoder())
    assert (done.rows, len(done.skipped_files)) == (12, 2)
    with FeatureStore.open(workspace / "fish.h5") as store:
        assert store.paths[0] == f"{address}/cod-0.png"
        assert "it is --photos" in store.source["layout"]
    run = run_fit(workspace / "fish.h5", head="centroid")
    write_report(run, formats=["html", "md"])
    manifest.rename(workspace / "kept.csv")
    written = [file for file in workspace.rglob("*") if file.is_file() and file.name != "kept.csv"]
    assert len(written) > 5
    for file in written:
        assert b"hunter2" not in file.read_bytes(), file
    assert "hunter2" not in repr(done)
    photos = ImageFiles(workspace / "kept.csv", fetch=True)
    assert read_bytes(photos.at(f"{address}/cod-0.png")).startswith(b"\x89PNG")

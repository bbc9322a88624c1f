from __future__ import annotations

import io
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from PIL import Image

from fishembed import extract, run_fit
from fishembed.serve import UploadClassifier, make_app


@pytest.fixture
def client(workspace):
    from starlette.testclient import TestClient

    rng = np.random.default_rng(0)
    for k, name in enumerate(("cod", "eel")):
        (workspace / "photos" / name).mkdir(parents=True)
        for i in range(12):
            pixels = rng.integers(0, 80, (24, 24, 3)) + 150 * k
            Image.fromarray(pixels.astype(np.uint8)).save(workspace / f"photos/{name}/{i}.png")
    encoder = FakeEncoder()
    run = run_fit(extract("photos", encoder=encoder).store, head="centroid")

    def make(token=""):
        return TestClient(make_app(UploadClassifier(run, encoder), token))

    return make


def photo(level=20):
    out = io.BytesIO()
    Image.new("RGB", (24, 24), (level,) * 3).save(out, "PNG")
    return out.getvalue()


def huge():
    """Return a PNG that says 20,000 × 10,000 pixels in few bytes."""

    def chunk(kind, body):
        return (
            len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
        )

    head = (20_000).to_bytes(4, "big") + (10_000).to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def test_a_photo_is_answered_with_what_is_like_it(client):
    reply = client().post("/api/predict", files=[("photos", ("x.png", photo()))])
    answer = reply.json()["answers"][0]
    assert reply.status_code == 200
    assert answer["file"] == "x.png"
    assert answer["species"] in ("cod", "eel", "none of these")
    assert len(answer["nearest"]) == 3
    assert "/api/predict" in client().get("/openapi.json").json()["paths"]
    assert "connect-src" in client().get("/").text


@pytest.mark.parametrize("data", [b"text", b"PK\x03\x04zip", huge(), b""])
def test_bad_and_huge_uploads_are_refused_by_name(client, data):
    reply = client().post("/api/predict", files=[("photos", ("../../etc/passwd", data))])
    assert reply.status_code == 415
    assert reply.json()["answers"][0]["problem"]
    both = client().post(
        "/api/predict", files=[("photos", ("a", data)), ("photos", ("b.png", photo()))]
    )
    assert both.status_code == 200
    assert "problem" in both.json()["answers"][0]
    assert "species" in both.json()["answers"][1]


def test_too_many_bytes_no_files_and_no_token(client):
    asked = client()
    too_many = {"content-length": str(10**9), "content-type": "multipart/form-data; boundary=x"}
    assert asked.post("/api/predict", headers=too_many, content=b"").status_code == 413
    assert asked.post("/api/predict", data={"a": "b"}).status_code in (400, 413)
    for path in ("/../../etc/passwd", "/%2e%2e/run.json", "/run.json", "/static/x"):
        assert asked.get(path).status_code == 404
    closed = client("secret")
    files = [("photos", ("x.png", photo()))]
    assert closed.post("/api/predict", files=files).status_code == 401
    assert closed.get("/").status_code == 401
    assert closed.get("/?token=secret").status_code == 200
    allowed = {"Authorization": "Bearer secret"}
    assert closed.post("/api/predict", files=files, headers=allowed).status_code == 200


def torn(level):
    return photo(level)[:60]


def test_photos_that_break_off_are_each_told_apart(client):
    """Requests are answered together: what is wrong with one is not said of the others."""
    asked = client()
    files = [torn(1), photo(2), torn(3), b"text"]

    def one(data):
        return asked.post("/api/predict", files=[("photos", ("x.png", data))]).status_code

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, files * 8)) == [415, 200, 415, 415] * 8
    both = asked.post(
        "/api/predict", files=[("photos", ("a", torn(1))), ("photos", ("b", torn(2)))]
    )
    problems = [answer["problem"] for answer in both.json()["answers"]]
    assert all("truncated" in why or "decoded" in why for why in problems)
    assert not any("fishembed-" in why for why in problems)


def test_an_error_of_the_encoder_keeps_no_other_request_waiting(client, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no memory")

    asked = client()
    files = [("photos", ("x.png", photo()))]
    with monkeypatch.context() as patched:
        patched.setattr("fishembed.serve.upload_classifier.predict_run", broken)
        with pytest.raises(RuntimeError, match="no memory"):
            asked.post("/api/predict", files=files)
    assert asked.post("/api/predict", files=files).status_code == 200


def test_answers_go_on_when_the_store_has_changed(client, workspace):
    asked = client()
    next(workspace.rglob("*.h5")).unlink()  # what was read stays
    reply = asked.post("/api/predict", files=[("photos", ("x.png", photo()))])
    assert len(reply.json()["answers"][0]["nearest"]) == 3
    reply = client().post("/api/predict", files=[("photos", ("x.png", photo()))])
    assert reply.json()["answers"][0]["nearest"] == []  # a server that starts now has none
    assert reply.json()["answers"][0]["species"]


def test_a_hundred_requests_at_once(client):
    asked = client()

    def one(level):
        files = [("photos", (f"{level}.png", photo(level)))]
        return asked.post("/api/predict", files=files).json()["answers"][0]["file"]

    with ThreadPoolExecutor(100) as pool:
        assert list(pool.map(one, range(100))) == [f"{level}.png" for level in range(100)]

"""Answer photos in a browser on this machine: a page, and a JSON endpoint with its OpenAPI."""

from __future__ import annotations

import hmac
import io
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fishembed._base.printable import printable
from fishembed.encoders import Encoder
from fishembed.errors import FishembedError, MissingExtraError
from fishembed.experiments import Run, predict_run
from fishembed.experiments.predicting.people_table import look_at_it, species
from fishembed.experiments.predicting.prediction import Predictions
from fishembed.reports.page.photo_page import find_photos
from fishembed.reports.shared_page_parts import fill
from fishembed.reports.thumbnails import thumbnails
from fishembed.serve.openapi import openapi_document

MAX_BYTES = 32_000_000
"""Bytes of one upload, all its files together."""

MAX_FILES = 64
"""Files of one upload."""

MAX_PIXELS = 100_000_000
"""Width × height above which a photo is refused."""


THUMBNAIL_BOX = (240, 180)
"""Largest width and height of the training images that are shown."""


class Answerer:
    """Classifies uploaded photos with a run whose encoder is loaded once.

    Parameters
    ----------
    run
        The run.
    encoder
        The encoder it was made with.
    """

    def __init__(self, run: Run, encoder: Encoder) -> None:
        self.run, self._encoder = run, encoder
        self._photos = find_photos((run.info.get("store") or {}).get("source_root"))
        self._lock = threading.Lock()  # one forward pass at a time: more would only take turns

    def answer(
        self, files: list[tuple[str, bytes]], *, with_thumbnails: bool = False
    ) -> dict[str, Any]:
        """Return what each photo is called, or its problem, in the order of the upload.

        The training images that it is like come with a small copy if asked for and at hand.
        """
        with tempfile.TemporaryDirectory(prefix="fishembed-") as folder:
            # Names of uploads are never names of files here.
            places = [Path(folder, f"{number:04d}") for number in range(len(files))]
            for place, (_, data) in zip(places, files, strict=True):
                place.write_bytes(data)
            problems = {str(p): why for p, (_, data) in zip(places, files, strict=True)
                        if (why := _too_large(data))}  # fmt: skip
            usable = [place for place in places if str(place) not in problems]
            found = self._predictions(usable)
            problems |= dict(found.skipped)
        by_path = {one.path: one for one in found.predictions}
        shown = self._thumbnails(found) if with_thumbnails else {}
        answers: list[dict[str, Any]] = []
        for place, (name, _) in zip(places, files, strict=True):
            one = by_path.get(str(place))
            if one is None:
                answers.append({"file": name, "problem": problems.get(str(place), "not read")})
                continue
            answers.append(
                {
                    "file": name,
                    "species": species(one),
                    "sure": round(one.probabilities[0], 4),
                    "none_of_these": bool(one.unknown),
                    "look": bool(look_at_it(one)),
                    "top": [
                        {"class": name, "probability": round(p, 4)}
                        for name, p in zip(one.classes, one.probabilities, strict=True)
                    ],
                    "nearest": [
                        {"label": near.label, "similarity": round(near.similarity, 4),
                         "path": near.path, **shown.get(near.path, {})}
                        for near in one.evidence
                    ],
                }
            )  # fmt: skip
        return {"run": self.run.name, "answers": answers}

    def _predictions(self, places: list[Path]) -> Predictions:
        if not places:
            return Predictions((), ())
        with self._lock:
            try:
                return self._predict(places, evidence=True)
            except FishembedError:
                pass
            try:  # the store may be gone: the answer stands without its like
                return self._predict(places, evidence=False)
            except FishembedError as error:
                # Names of files here are nobody's business.
                why = str(error).rpartition(f"{places[-1]}': ")[2]
                return Predictions((), tuple((str(place), why) for place in places))

    def _thumbnails(self, found: Predictions) -> dict[str, dict[str, str]]:
        if self._photos is None:
            return {}
        paths = dict.fromkeys(near.path for one in found.predictions for near in one.evidence)
        made = thumbnails(self._photos, paths, box=THUMBNAIL_BOX)
        return {path: {"thumbnail": small.uri} for path, small in made.items()}

    def _predict(self, places: list[Path], *, evidence: bool) -> Predictions:
        return predict_run(self.run, places, top=3, evidence=evidence, encoder=self._encoder)


def _too_large(data: bytes) -> str:
    """Return why a photo is refused before it is decoded: no image, or too many pixels."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
    except Image.DecompressionBombError:
        return "too many pixels"
    except Exception as error:
        kind = type(error).__name__
        return "no photo" if kind == "UnidentifiedImageError" else f"cannot be read ({kind})"
    if width * height > MAX_PIXELS:
        return f"{width:,} × {height:,} pixels are more than {MAX_PIXELS:,}"
    return ""


def make_app(answerer: Answerer, token: str = "", hosts: Sequence[str] = ()) -> Any:
    """Return the ASGI application.

    Parameters
    ----------
    answerer
        Classifies the uploads.
    token
        What requests have to bring, as `Authorization: Bearer …` or `?token=…`; "" for none.
    hosts
        Names by which this machine may be asked; any when empty.

    Raises
    ------
    MissingExtraError
        When starlette or python-multipart is not installed.
    """
    try:
        import python_multipart  # noqa: F401 - starlette reads forms with it
        from starlette.applications import Starlette
        from starlette.concurrency import run_in_threadpool
        from starlette.exceptions import HTTPException
        from starlette.requests import Request
        from starlette.responses import HTMLResponse, JSONResponse, Response
        from starlette.routing import Route
    except ImportError as error:
        raise MissingExtraError("fishembed serve", "starlette", "serve") from error

    def refused(request: Request) -> str:
        name = request.url.hostname
        if hosts and name not in hosts:
            return f"this answers to {', '.join(hosts)}, not to {name}"
        given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        given = given or request.query_params.get("token", "")
        known = not token or hmac.compare_digest(given.encode(), token.encode())
        return "" if known else "a token is needed: it stands where fishembed serve was started"

    async def page(request: Request) -> Response:
        if why := refused(request):
            html = fill("token.html", {"name": "a token is needed", "why": why, "data": {},
                         "form_places": "'self'"},
                        scripts=(), package="fishembed.serve")  # fmt: skip
            return HTMLResponse(html, 401)
        html = fill(
            "serve.html",
            {"name": printable(answerer.run.name), "data": {"token": token}, "figures": {},
             "image_places": "blob:", "connect_places": "'self'"},
            scripts=("page.js", "serve.js"),
            package="fishembed.serve",
        )  # fmt: skip
        return HTMLResponse(html, headers={"Referrer-Policy": "no-referrer"})

    async def classify(request: Request) -> Response:
        if why := refused(request):
            return JSONResponse({"error": why}, 401)
        if int(request.headers.get("content-length") or MAX_BYTES + 1) > MAX_BYTES:
            return JSONResponse(
                {"error": f"an upload has {MAX_BYTES:,} bytes at most, and says how many"}, 413
            )
        try:
            async with request.form(max_files=MAX_FILES, max_fields=8) as form:
                sent = [item for _, item in form.multi_items() if not isinstance(item, str)]
                files = [(printable(item.filename or "photo"), await item.read()) for item in sent]
        except HTTPException as error:
            return JSONResponse({"error": str(error.detail)}, 400)
        if not files:
            return JSONResponse({"error": "send photos as files of a form"}, 400)
        shown = request.query_params.get("thumbnails", "") not in ("", "0")
        found = await run_in_threadpool(answerer.answer, files, with_thumbnails=shown)
        alone = len(files) == 1 and "problem" in found["answers"][0]
        return JSONResponse(found, 415 if alone else 200)

    async def openapi(_: Request) -> Response:
        return JSONResponse(openapi_document(answerer.run.name, needs_token=bool(token)))

    return Starlette(
        routes=[
            Route("/", page),
            Route("/api/predict", classify, methods=["POST"]),
            Route("/openapi.json", openapi),
        ]
    )

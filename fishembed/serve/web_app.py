"""Web application that classifies photos: a page, and a JSON endpoint with its OpenAPI."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fishembed._base.text import printable
from fishembed._version import __version__
from fishembed.errors import MissingExtraError
from fishembed.reports.page_template import fill
from fishembed.serve.upload_classifier import UploadClassifier

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

MAX_BYTES = 32_000_000
"""Most bytes of one upload, all its files together."""

MAX_FILES = 64
"""Most files of one upload."""


def make_app(classifier: UploadClassifier, token: str = "", hosts: Sequence[str] = ()) -> Any:
    """Return the ASGI application.

    Parameters
    ----------
    classifier
        Classifies the uploads.
    token
        Token of authorized requests, as `Authorization: Bearer …` or `?token=…`; "" for none.
    hosts
        Host names that requests may be sent to; any when empty.

    Raises
    ------
    MissingExtraError
        When starlette or python-multipart is not installed.
    """
    try:
        import python_multipart  # noqa: F401 - starlette reads forms with it
        from starlette.applications import Starlette
        from starlette.routing import Route
    except ImportError as error:
        raise MissingExtraError("fishembed serve", "starlette", "serve") from error
    endpoints = _Endpoints(classifier, token, hosts)
    return Starlette(
        routes=[
            Route("/", endpoints.page),
            Route("/api/predict", endpoints.predict, methods=["POST"]),
            Route("/openapi.json", endpoints.openapi),
        ]
    )


@dataclass(frozen=True)
class _Endpoints:
    """Endpoints of the application; see `make_app`."""

    classifier: UploadClassifier
    token: str
    hosts: Sequence[str]

    async def page(self, request: Request) -> Response:
        from starlette.responses import HTMLResponse

        if why := self._refused(request):
            context = {"name": "a token is needed", "why": why, "data": {}, "form_places": "'self'"}
            return HTMLResponse(_fill("token.html", context, ()), 401)
        context = {
            "name": printable(self.classifier.run.name),
            "data": {"token": self.token},
            "figures": {},
            "image_places": "blob:",
            "connect_places": "'self'",
        }
        html = _fill("serve.html", context, ("page.js", "serve.js"))
        return HTMLResponse(html, headers={"Referrer-Policy": "no-referrer"})

    async def predict(self, request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool
        from starlette.exceptions import HTTPException
        from starlette.responses import JSONResponse

        if why := self._refused(request):
            return JSONResponse({"error": why}, 401)
        if int(request.headers.get("content-length") or MAX_BYTES + 1) > MAX_BYTES:
            why = f"an upload has {MAX_BYTES:,} bytes at most, and says how many"
            return JSONResponse({"error": why}, 413)
        try:
            async with request.form(max_files=MAX_FILES, max_fields=8) as form:
                sent = [value for _, value in form.multi_items() if not isinstance(value, str)]
                files = [(printable(one.filename or "photo"), await one.read()) for one in sent]
        except HTTPException as error:
            return JSONResponse({"error": str(error.detail)}, 400)
        if not files:
            return JSONResponse({"error": "send photos as files of a form"}, 400)
        shown = request.query_params.get("thumbnails", "") not in ("", "0")
        found = await run_in_threadpool(self.classifier.predict, files, with_thumbnails=shown)
        alone = len(files) == 1 and "problem" in found["answers"][0]
        return JSONResponse(found, 415 if alone else 200)

    async def openapi(self, _: Request) -> Response:
        from starlette.responses import JSONResponse

        return JSONResponse(_openapi(self.classifier.run.name, needs_token=bool(self.token)))

    def _refused(self, request: Request) -> str:
        """Return the reason for refusing a request; "" where it is accepted."""
        name = request.url.hostname
        if self.hosts and name not in self.hosts:
            return f"this answers to {', '.join(self.hosts)}, not to {name}"
        token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        token = token or request.query_params.get("token", "")
        known = not self.token or hmac.compare_digest(token.encode(), self.token.encode())
        return "" if known else "a token is needed: it stands where fishembed serve was started"


def _fill(template: str, context: dict[str, Any], scripts: Sequence[str]) -> str:
    return fill(template, context, scripts=scripts, package="fishembed.serve")


_TEXT = {"type": "string"}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_FILE = {"type": "string", "contentMediaType": "application/octet-stream"}
_REFUSALS = {
    "400": "No photos",
    "401": "No token",
    "413": "Too many bytes",
    "415": "The one photo cannot be read",
}
_THUMBNAILS = {
    "name": "thumbnails",
    "in": "query",
    "description": "1: with small copies of the nearest training images",
    "schema": {"type": "string", "enum": ["0", "1"]},
}


def _list(kind: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": kind}


def _object(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _openapi(run: str, *, needs_token: bool) -> dict[str, Any]:
    """Return the description of `/api/predict` in OpenAPI 3.1."""
    thumbnail = _TEXT | {"description": "JPEG as a data URI"}
    near = _object(label=_TEXT, similarity={"type": "number"}, path=_TEXT, thumbnail=thumbnail)
    flag = {"type": "boolean"}
    guess = {"type": "object", "properties": {"class": _TEXT, "probability": _SHARE}}
    answer = {"type": "object", "required": ["file"]} | _object(
        file=_TEXT,
        species=_TEXT,
        sure=_SHARE,
        none_of_these=flag,
        look=flag,
        problem=_TEXT,
        top=_list(guess),
        nearest=_list(near),
    )
    found = _object(run=_TEXT, answers=_list(answer))
    form = {"multipart/form-data": {"schema": _object(photos=_list(_FILE))}}
    post: dict[str, Any] = {
        "summary": "Classify photos",
        "operationId": "predict",
        "parameters": [_THUMBNAILS],
        "requestBody": {"required": True, "content": form},
        "responses": {
            "200": {"description": "Answers", "content": {"application/json": {"schema": found}}},
            **{status: {"description": why} for status, why in _REFUSALS.items()},
        },
    }
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": f"fishembed: {run}", "version": __version__},
        "paths": {"/api/predict": {"post": post}},
    }
    if needs_token:
        scheme = {"token": {"type": "http", "scheme": "bearer"}}
        document["components"] = {"securitySchemes": scheme}
        post["security"] = [{"token": []}]
    return document

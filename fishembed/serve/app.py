"""Answer photos in a browser on this machine: a page, and a JSON endpoint with its OpenAPI."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Any

from fishembed._base.text import printable
from fishembed._version import __version__
from fishembed.errors import MissingExtraError
from fishembed.reports.page_template import fill
from fishembed.serve.answerer import Answerer

MAX_BYTES = 32_000_000
"""Bytes of one upload, all its files together."""

MAX_FILES = 64
"""Files of one upload."""


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


def openapi_document(run: str, *, needs_token: bool) -> dict[str, Any]:
    """Return the description of `/api/predict` in OpenAPI 3.1."""
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    form = {"type": "object", "properties": {"photos": {"type": "array", "items": file}}}
    share, text = {"type": "number", "minimum": 0, "maximum": 1}, {"type": "string"}
    guess = {"type": "object", "properties": {"class": text, "probability": share}}
    near = {
        "type": "object",
        "properties": {
            "label": text,
            "similarity": {"type": "number"},
            "path": text,
            "thumbnail": {"type": "string", "description": "JPEG as a data URI"},
        },
    }
    answer = {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {"type": "string"},
            "species": {"type": "string"},
            "sure": {"type": "number", "minimum": 0, "maximum": 1},
            "none_of_these": {"type": "boolean"},
            "look": {"type": "boolean"},
            "problem": {"type": "string"},
            "top": {"type": "array", "items": guess},
            "nearest": {"type": "array", "items": near},
        },
    }
    found = {
        "type": "object",
        "properties": {"run": {"type": "string"}, "answers": {"type": "array", "items": answer}},
    }
    responses = {
        "200": {"description": "Answers", "content": {"application/json": {"schema": found}}},
        "400": {"description": "No photos"},
        "401": {"description": "No token"},
        "413": {"description": "Too many bytes"},
        "415": {"description": "The one photo cannot be read"},
    }
    post: dict[str, Any] = {
        "summary": "Classify photos",
        "operationId": "predict",
        "parameters": [
            {
                "name": "thumbnails",
                "in": "query",
                "description": "1: with small copies of the nearest training images",
                "schema": {"type": "string", "enum": ["0", "1"]},
            }
        ],
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form}}},
        "responses": responses,
    }
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": f"fishembed: {run}", "version": __version__},
        "paths": {"/api/predict": {"post": post}},
    }
    if needs_token:
        document["components"] = {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}
        }
        post["security"] = [{"token": []}]
    return document

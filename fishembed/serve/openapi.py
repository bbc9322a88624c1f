"""The OpenAPI document of the JSON endpoint."""

from __future__ import annotations

from typing import Any

from fishembed._version import __version__


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

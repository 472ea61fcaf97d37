"""Describes the service to programs: its OpenAPI document."""

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import JSONResponse

from serving.http.lookup_requests import JsonQuery, LookupRequest
from serving.http.problems import ProblemDetails, responses

if TYPE_CHECKING:
    from serving.http.service import Service

VERSION = "1"
# The server itself answers these, without a body: no route ever sees such a request.
UNREAD = {
    "400": {"description": "No request of HTTP/1.1"},
    "414": {"description": "An address of more than 64 KB"},
    "431": {"description": "More than 100 header fields, or 400 KB of them"},
}
REF = "#/components/schemas/{model}"


def make_router(service: "Service") -> APIRouter:
    """Returns the route."""
    router = APIRouter(tags=["health"])

    @router.get(
        "/openapi.json",
        summary="This document",
        response_model=dict[str, Any],
        responses=responses(401, 429),
    )
    async def openapi(request: Request) -> JSONResponse:
        return JSONResponse(describe(request.app))

    return router


def describe(app: FastAPI) -> dict[str, Any]:
    """Returns the OpenAPI document of an app."""
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(
        title="firstseen",
        version=VERSION,
        summary="Has this photo been seen before, when first, and what was done to it since?",
        routes=app.routes,
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    # Bodies are read by the routes themselves, within their limits, so that FastAPI does not know their models.
    for model in (ProblemDetails, LookupRequest, JsonQuery):
        schema = model.model_json_schema(ref_template=REF)
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"] = UNREAD | operation["responses"]
    document["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "basic": {"type": "http", "scheme": "basic", "description": "The key as the password of any user."},
    }
    document["security"] = [{"bearer": []}, {"basic": []}, {}]
    app.openapi_schema = document
    return document

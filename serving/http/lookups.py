"""Answers lookups: POST /v1/lookup."""

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse

from serving.answers import Answer
from serving.http.bodies import body_bytes
from serving.http.looking_up import Looked, look_up
from serving.http.lookup_bodies import FORM, JSON, read_lookup
from serving.http.lookup_requests import LookupRequest
from serving.http.problems import responses
from serving.output.json_file import to_json

if TYPE_CHECKING:
    from serving.http.service import Service

SNAPSHOT_HEADER = "X-Firstseen-Snapshot"


class QueryResult(BaseModel):
    """The answers to one query: one per match, best first, or one that says why there is none."""

    id: str
    answers: list[Answer]


class LookupAnswer(BaseModel):
    """The answers to all queries of a request, in their order, all from one snapshot."""

    snapshot: int
    encoder: str
    request_id: str
    results: list[QueryResult]


def make_router(service: "Service") -> APIRouter:
    """Returns the routes."""
    router = APIRouter(prefix="/v1", tags=["lookup"])

    @router.post(
        "/lookup",
        summary="Look photos up",
        response_model=LookupAnswer,
        responses=responses(400, 404, 408, 413, 415, 422, 503),
        openapi_extra={"requestBody": _request_body()},
    )
    async def lookup(request: Request) -> JSONResponse:
        with service.memory.reserve(body_bytes(request, service.options)):
            asked = await read_lookup(request, service.options)
            options = asked.options
            looked = await look_up(service.live, asked.queries, options.for_matching(), options.snapshot)
        number = str(looked.snapshot.number)
        return JSONResponse(answer_of(looked, request.state.request_id), headers={SNAPSHOT_HEADER: number})

    return router


def answer_of(looked: Looked, request_id: str) -> dict[str, Any]:
    """Returns the answers of a request as JSON types."""
    return {
        "snapshot": looked.snapshot.number,
        "encoder": looked.snapshot.encoder_id,
        "request_id": request_id,
        "results": [
            {"id": outcome.query, "answers": list(map(to_json, answers))}
            for outcome, answers in zip(looked.outcomes, looked.answers, strict=True)
        ],
    }


def _request_body() -> dict[str, Any]:
    form = {
        "type": "object",
        "required": ["image"],
        "properties": {"image": {"type": "array", "items": {"type": "string", "format": "binary"}}},
    }
    return {
        "required": True,
        "content": {FORM: {"schema": form}, JSON: {"schema": LookupRequest.model_json_schema()}},
    }

"""Answers lookups: POST /v1/lookup."""

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from serving.answers import Answer
from serving.http.lines import LinesResponse
from serving.http.looking_up import Looked, look_up
from serving.http.lookup_bodies import FORM, JSON, LINES, media_type, read_lookup
from serving.http.lookup_requests import LookupOptions, parse_options
from serving.http.problems import responses
from serving.http.rates import charge
from serving.http.snapshot_header import SNAPSHOT_HEADER
from serving.match.match import Outcome
from serving.output.json_file import to_json

if TYPE_CHECKING:
    from serving.http.service import Service


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
        responses=responses(400, 401, 403, 404, 408, 413, 415, 422, 429, 503),
        openapi_extra={"requestBody": _request_body()},
    )
    async def lookup(request: Request) -> Response:
        answer = _lines if media_type(request) == LINES else _whole
        return await answer(request, service)

    return router


async def _whole(request: Request, service: "Service") -> Response:
    """Answers all queries of a request together."""
    with service.memory.room() as room:
        asked = await read_lookup(request, service, room)
        charge(request, len(asked.queries))
        for one in asked.queries:
            if isinstance(one, Outcome):
                service.metrics.outcome(one)
        work = look_up(service.live, asked.queries, asked.options.for_matching(), asked.options.snapshot)
        looked = await service.while_connected(request, work)
    number = looked.snapshot.number
    request.state.told = {"snapshot": number, "queries": len(asked.queries)}
    return JSONResponse(answer_of(looked, request.state.request_id), headers={SNAPSHOT_HEADER: str(number)})


async def _lines(request: Request, service: "Service") -> Response:
    """Answers line by line; the options stand in the address."""
    return LinesResponse(service, request, parse_options(request.query_params))


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
    options = LookupOptions.model_json_schema()["properties"]
    form = {
        "type": "object",
        "required": ["image"],
        "properties": {"image": {"type": "array", "items": {"type": "string", "format": "binary"}}, **options},
    }
    return {
        "required": True,
        "content": {
            FORM: {"schema": form},
            JSON: {"schema": {"$ref": "#/components/schemas/LookupRequest"}},
            LINES: {"schema": {"$ref": "#/components/schemas/JsonQuery"}},
        },
    }

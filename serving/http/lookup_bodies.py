"""Reads queries and options out of the body of a lookup: a multipart form, or JSON."""

import asyncio
import base64
import binascii
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from starlette.requests import Request

from serving.http.bodies import Form, read_body, read_form
from serving.http.lookup_requests import MOST_NAME, JsonQuery, LookupOptions, LookupRequest
from serving.http.options import ServeOptions
from serving.http.problems import Problem
from serving.match.match import Outcome
from serving.match.query import Query

if TYPE_CHECKING:
    from serving.live.vector_query import VectorQuery

    Asked: TypeAlias = Query | VectorQuery | Outcome

JSON, FORM, LINES = "application/json", "multipart/form-data", "application/x-ndjson"


class Lookup(NamedTuple):
    """The queries of a request, and what is asked of all of them; a query that cannot be asked is its outcome."""

    queries: "list[Asked]"
    options: LookupOptions


async def read_lookup(request: Request, options: ServeOptions) -> Lookup:
    """Returns what a request asks for; raises a Problem for a body that is broken, too large, or of another type."""
    kind = media_type(request)
    if kind == FORM:
        return _of_form(await read_form(request, options))
    if kind == JSON:
        body = await read_body(request, options)
        asked = await asyncio.to_thread(LookupRequest.model_validate_json, body)
        check_images(len(asked.queries), options)
        return Lookup([await asyncio.to_thread(query_of, one) for one in asked.queries], asked)
    raise Problem(415, "media_type", f"Content-Type is {kind!r}; expected {FORM}, {JSON} or {LINES}")


def media_type(request: Request) -> str:
    """Returns the type of a body without its parameters, in small letters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def query_of(one: JsonQuery) -> "Asked":
    """Returns what is looked up for a query in JSON."""
    if one.embedding is not None:
        return _vector_query(one)
    assert one.image is not None  # noqa: S101 (checked by the model)
    try:
        data = base64.b64decode(one.image.b64 or "", validate=True)
    except (binascii.Error, ValueError):
        return Outcome(one.id, "rejected", "not_base64: received other letters; expected the file in base64")
    return Query(one.id, partial(bytes, data))


def check_images(number: int, options: ServeOptions) -> None:
    """Raises a Problem, 413, for more queries than a request may bring."""
    if number > options.max_images:
        raise Problem(
            413,
            "too_many_images",
            f"the request brings {number} queries; expected at most {options.max_images}: ask in several requests, or "
            f"send {LINES}",
        )


def _of_form(form: Form) -> Lookup:
    uploads = [one for one in form.files if one.field == "image"]
    if not uploads:
        raise Problem(422, "no_image", "the form has no file named image; expected one or more of them")
    queries: list[Asked] = []
    for number, one in enumerate(uploads, 1):
        queries.append(Query(one.name[:MOST_NAME] or f"image-{number}", partial(bytes, one.data)))
    return Lookup(queries, LookupOptions.model_validate(form.fields))


def _vector_query(one: JsonQuery) -> "VectorQuery":
    import numpy as np

    from serving.live.vector_query import VectorQuery

    return VectorQuery(one.id, np.asarray(one.embedding, np.float32))

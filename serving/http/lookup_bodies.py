"""Reads queries and options out of the body of a lookup: a multipart form, or JSON."""

import asyncio
import base64
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from starlette.requests import Request

from foundation.photos.rejects import PhotoError
from serving.http.bodies import Form, Room, read_body, read_form, too_many_images
from serving.http.fetching import Allowance
from serving.http.looking_up import Asked
from serving.http.lookup_requests import MOST_NAME, JsonQuery, LookupOptions, parse_options, parse_request
from serving.http.options import ServeOptions
from serving.http.pixels import bounded
from serving.http.problems import Problem
from serving.live.vector_query import VectorQuery
from serving.match.decoded_query import rejected
from serving.match.match import Outcome
from serving.match.query import Query

if TYPE_CHECKING:
    from serving.http.service import Service

JSON, FORM, LINES = "application/json", "multipart/form-data", "application/x-ndjson"


class Lookup(NamedTuple):
    """The queries of a request, and what is asked of all of them; a query that cannot be asked is its outcome."""

    queries: "list[Asked]"
    options: LookupOptions


async def read_lookup(request: Request, service: "Service", room: Room) -> Lookup:
    """Returns what a request asks for; raises a Problem for a body that is broken, too large, or of another type."""
    kind = media_type(request)
    if request.url.query:
        raise Problem(422, "invalid", f"the address has a query; expected options in the body, or {LINES}")
    if kind == FORM:
        return _of_form(await read_form(request, service.options, room), service.options.max_pixels)
    if kind == JSON:
        asked = await asyncio.to_thread(
            parse_request, await read_body(request, service.options, room), most_queries=service.options.max_images
        )
        check_images(len(asked.queries), service.options)
        return Lookup(await _read_all(asked.queries, service, room), asked.options())
    raise Problem(415, "media_type", f"Content-Type is {kind[:100]!r}; expected {FORM}, {JSON} or {LINES}")


def media_type(request: Request) -> str:
    """Returns the type of a body without its parameters, in small letters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def query_of(one: JsonQuery, service: "Service", allowance: Allowance) -> Asked:
    """Returns what is looked up for a query in JSON; reads the photo that its URI names.

    Raises TemporaryError if it lies in a bucket that does not answer.
    """
    if one.image is None:
        return VectorQuery(one.id, np.asarray(one.embedding))
    try:
        if one.image.uri is not None:
            data = service.fetcher.fetch(one.image.uri, allowance)
        else:
            data = base64.b64decode(one.image.b64 or "", validate=True)
    except PhotoError as error:
        return rejected(one.id, error)
    except ValueError:
        return Outcome(one.id, "rejected", "not_base64: received other letters; expected the file in base64")
    return Query(one.id, partial(bounded, data, service.options.max_pixels))


async def _read_all(queries: list[JsonQuery], service: "Service", room: Room) -> list[Asked]:
    """Returns what is looked up for all queries of a request."""
    allowance = Allowance(service.options.max_body_bytes, room)
    return list(await asyncio.gather(*(read_query(one, service, allowance) for one in queries)))


async def read_query(one: JsonQuery, service: "Service", allowance: Allowance) -> Asked:
    """Returns what is looked up for a query; who waits for a place elsewhere holds up nobody who brings a photo."""
    waits = one.image is not None and one.image.uri is not None
    in_thread = service.in_thread if waits else asyncio.to_thread
    return await in_thread(query_of, one, service, allowance)


def check_images(number: int, options: ServeOptions) -> None:
    """Raises a Problem, 413, for more queries than a request may bring."""
    if number > options.max_images:
        raise too_many_images(str(number), options)


def _of_form(form: Form, most_pixels: int) -> Lookup:
    uploads = [one for one in form.files if one.field == "image"]
    if not uploads:
        raise Problem(422, "no_image", "the form has no file named image; expected one or more of them")
    queries: list[Asked] = [
        Query(one.name[:MOST_NAME] or f"image-{number}", partial(bounded, one.data, most_pixels))
        for number, one in enumerate(uploads, 1)
    ]
    return Lookup(queries, parse_options(form.fields))

"""Answers with the page that people use: a form for photos, what they came to, the evidence, and the store's status."""

import asyncio
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from foundation.errors import UsageError
from serving.http.answering import while_connected
from serving.http.bodies import body_bytes, read_form
from serving.http.evidence import proof_of
from serving.http.held import HeldLookup, HeldLookups
from serving.http.html import HEADERS, page, wants_json, with_error_pages
from serving.http.lookup_page import Seen, Shown, page_values, shown_queries
from serving.http.page_lookups import look_up_for_page, uploads_of
from serving.http.problems import Problem, responses
from serving.http.snapshots import RememberedStatus
from serving.http.status_page import ago, status_values
from serving.match.claim import parse_claimed_date
from serving.output.choice import Choice
from serving.output.csv_file import write_csv
from serving.output.evidence.page import page_of
from serving.output.evidence.record import record_of
from serving.output.json_file import write_json
from serving.output.view import asset

if TYPE_CHECKING:
    from serving.http.service import Service
    from serving.search.snapshot import OpenSnapshot

ASSETS = {"style.css": "text/css", "lookup.js": "text/javascript", "results.js": "text/javascript"}
ASSETS["slider.js"] = "text/javascript"
# A picture of a lookup never changes; only the browser that may see it keeps it.
KEPT = {"Cache-Control": "private, max-age=3600"}
EXPIRED = (
    "this lookup is not kept any more, since results stay in memory alone and for a while; look the photo up again"
)

Made = TypeVar("Made")


class Lookups:
    """The lookups that the page shows, and how they look now: what was withdrawn since is left out."""

    def __init__(self, service: "Service"):
        self.service = service
        self.kept_for = ago(60 * service.options.keep_minutes)
        self.held = HeldLookups(keep_seconds=60 * service.options.keep_minutes)

    def get(self, lookup_id: str) -> HeldLookup:
        """Returns a lookup; raises a Problem, 404, if it is not kept any more."""
        found = self.held.get(lookup_id)
        if found is None:
            raise Problem(404, "expired", EXPIRED)
        return found

    async def now(self, make: Callable[["OpenSnapshot"], Made]) -> Made:
        """Returns what is made with the live snapshot, in a thread."""
        with self.service.live.hold() as held:

            def make_of_opened() -> Made:
                held.opened.refresh()
                return make(held.opened)

            return await self.service.in_reader(make_of_opened)

    async def query(self, lookup_id: str, number: int, claimed_date: str = "") -> Shown:
        """Returns one query of a lookup; raises a Problem, 404, if there is none of this number."""
        lookup = self.get(lookup_id)
        if not 1 <= number <= len(lookup.queries):
            raise Problem(404, "no_query", f"the lookup has no query {number}; expected 1 to {len(lookup.queries)}")
        one = HeldLookup(lookup.snapshot, [lookup.queries[number - 1]])
        claimed = _claimed(claimed_date)
        (shown,) = await self.now(lambda opened: shown_queries(one, claimed, opened))
        return shown


def make_router(service: "Service") -> APIRouter:
    """Returns the routes; lookups that were made by them are kept as long as it lives."""
    lookups = Lookups(service)
    router = APIRouter()
    for add in (_add_form, _add_results, _add_pictures, _add_evidence, _add_status):
        add(router, lookups)
    return router


def _add_form(router: APIRouter, lookups: Lookups) -> None:
    options = lookups.service.options

    @router.get("/", include_in_schema=False)
    async def form() -> Response:
        bounds = {"most_bytes": options.max_body_bytes, "most_photos": options.max_images}
        return page("home.html", bounds | {"kept": lookups.kept_for})

    @router.get("/assets/{name}", include_in_schema=False)
    async def assets(name: str) -> Response:
        if name not in ASSETS:
            raise Problem(404, "not_found", f"there is no {name}; expected one of: {', '.join(ASSETS)}")
        return Response(asset(name), media_type=ASSETS[name], headers={"Cache-Control": "max-age=300"})

    @router.post("/lookups", include_in_schema=False)
    @with_error_pages
    async def look(request: Request) -> Response:
        with lookups.service.memory.reserve(body_bytes(request, options)):
            sent = await read_form(request, options)
            claimed = sent.fields.get("claimed_date", "").strip()
            _claimed(claimed)
            work = look_up_for_page(lookups.service, uploads_of(sent))
            lookup = await while_connected(request, work, seconds=options.request_seconds)
        named = {"snapshot": str(lookup.snapshot.number)} | ({"claimed_date": claimed} if claimed else {})
        address = f"/lookups/{lookups.held.add(lookup)}?{urlencode(named)}"
        if wants_json(request):
            return JSONResponse({"location": address}, 201, headers={"Location": address})
        return RedirectResponse(f"{address}#found", 303)


def _add_results(router: APIRouter, lookups: Lookups) -> None:
    @router.get("/lookups/{lookup_id}", include_in_schema=False)
    @with_error_pages
    async def results(request: Request, lookup_id: str) -> Response:
        lookup = lookups.get(lookup_id)
        seen = _seen(lookup_id, dict(request.query_params))
        values = await lookups.now(lambda opened: page_values(lookup, seen, opened))
        return page("lookup.html", values | {"kept": lookups.kept_for})

    @router.get("/lookups/{lookup_id}/answers.{kind}", include_in_schema=False)
    @with_error_pages
    async def answers(request: Request, lookup_id: str, kind: str) -> Response:
        if kind not in ("csv", "json"):
            raise Problem(404, "not_found", f"there is no answers.{kind}; expected answers.csv or answers.json")
        lookup = lookups.get(lookup_id)
        claimed = _claimed(request.query_params.get("claimed_date", ""))
        text = await lookups.now(lambda opened: _text(kind, shown_queries(lookup, claimed, opened)))
        media_type = "text/csv; charset=utf-8" if kind == "csv" else "application/json"
        saved = {"Content-Disposition": f'attachment; filename="answers.{kind}"'}
        return Response(text, media_type=media_type, headers=HEADERS | saved)


def _add_pictures(router: APIRouter, lookups: Lookups) -> None:
    @router.get("/lookups/{lookup_id}/{number:int}.jpg", include_in_schema=False)
    async def query(lookup_id: str, number: int) -> Response:
        shown = await lookups.query(lookup_id, number)
        return _jpeg(shown.held.picture.jpeg if shown.held.picture else None)

    @router.get("/lookups/{lookup_id}/{number:int}-{rank:int}.jpg", include_in_schema=False)
    async def match(lookup_id: str, number: int, rank: int) -> Response:
        found = (await lookups.query(lookup_id, number)).still.ranks.get(rank)
        return _jpeg(found.thumbnail if found else None)


def _add_evidence(router: APIRouter, lookups: Lookups) -> None:
    place = "/v1/evidence/{lookup_id}/{number}-{rank}"
    Number = Annotated[int, Path(ge=1, le=100_000)]  # noqa: N806 (a type)
    Claimed = Annotated[str, Query(max_length=40)]  # noqa: N806

    async def proof(lookup_id: str, number: int, rank: int, claimed_date: str) -> Any:
        shown = await lookups.query(lookup_id, number, claimed_date)
        snapshot = lookups.get(lookup_id).snapshot
        return await proof_of(number, rank, shown, snapshot=snapshot, claimed=_claimed(claimed_date))

    @router.get(
        f"{place}.json",
        tags=["evidence"],
        summary="The record of a copy",
        responses=responses(401, 403, 404, 422, 429, 503),
    )
    async def record(lookup_id: str, number: Number, rank: Number, claimed_date: Claimed = "") -> dict[str, Any]:
        found = await proof(lookup_id, number, rank, claimed_date)
        return await asyncio.to_thread(record_of, found)

    @router.get(f"{place}.html", include_in_schema=False)
    @with_error_pages
    async def evidence(
        request: Request, lookup_id: str, number: Number, rank: Number, claimed_date: Claimed = ""
    ) -> Response:
        found = await proof(lookup_id, number, rank, claimed_date)
        values = await asyncio.to_thread(page_of, found)
        snapshot = lookups.get(lookup_id).snapshot.number
        query = urlencode({"snapshot": snapshot} | ({"claimed_date": claimed_date} if claimed_date else {}))
        return page("evidence.html", values | {"is_served": True, "all": f"/lookups/{lookup_id}?{query}"})


def _add_status(router: APIRouter, lookups: Lookups) -> None:
    service = lookups.service
    status_of = RememberedStatus(service)

    @router.get("/status", include_in_schema=False)
    @with_error_pages
    async def status(request: Request) -> Response:
        return page("status.html", status_values(await status_of(), service.live.state()))


def _seen(lookup_id: str, asked: dict[str, str]) -> Seen:
    from datetime import date

    def day(name: str) -> Any:
        text = asked.get(name, "").strip()
        try:
            return date.fromisoformat(text) if text else None
        except ValueError as error:
            raise Problem(422, "invalid", f"{name} is {text!r}; expected a day, such as 2024-05-01") from error

    choice = Choice(
        order=asked.get("order") or "oldest",
        since=day("since"),
        until=day("until"),
        source=asked.get("source", ""),
        words=asked.get("words", ""),
    )
    text = asked.get("claimed_date", "").strip()
    return Seen(lookup_id, choice, _claimed(text), text)


def _claimed(text: str) -> Any:
    try:
        return parse_claimed_date(text) if text.strip() else None
    except UsageError as error:
        raise Problem(422, "invalid", str(error).replace("--claimed-date", "the claimed date")) from error


def _text(kind: str, shown: list[Shown]) -> str:
    file = io.StringIO()
    (write_csv if kind == "csv" else write_json)((one.answers for one in shown), file)
    return file.getvalue()


def _jpeg(data: bytes | None) -> Response:
    if not data:
        raise Problem(404, "no_picture", "there is no such picture; expected one that the page of the lookup shows")
    return Response(data, media_type="image/jpeg", headers=KEPT)

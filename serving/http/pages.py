"""Answers with the page that people use: a form for photos, what they came to, the evidence, and the store's status."""

import asyncio
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from serving.http.bodies import read_form
from serving.http.evidence import proof_of
from serving.http.html import HEADERS, page, wants_json
from serving.http.lookup_page import page_values, shown_queries
from serving.http.page_addresses import Seen, address_of, claimed_of, seen_of
from serving.http.page_lookups import look_up_for_page, uploads_of
from serving.http.photos import CACHED
from serving.http.problems import Problem, responses
from serving.http.rates import charge
from serving.http.saved_answers import text_of
from serving.http.shown_lookups import ShownLookups
from serving.http.snapshots import RememberedStatus
from serving.http.status_page import status_values
from serving.output.evidence.page import page_of
from serving.output.evidence.record import record_of
from serving.output.pictures import small_jpeg
from serving.output.view import asset
from serving.output.wording import moment_words

if TYPE_CHECKING:
    from serving.http.service import Service

ASSETS = {"style.css": "text/css"} | dict.fromkeys(("lookup.js", "results.js", "slider.js"), "text/javascript")


def make_router(service: "Service") -> APIRouter:
    """Returns the routes; lookups that were made by them are kept as long as it lives."""
    lookups = ShownLookups(service)
    router = APIRouter()
    for add in (_add_form, _add_results, _add_pictures, _add_evidence, _add_status):
        add(router, lookups)
    return router


def _add_form(router: APIRouter, lookups: ShownLookups) -> None:
    options = lookups.service.options

    @router.get("/", include_in_schema=False)
    async def form(request: Request) -> Response:
        claimed = request.query_params.get("claimed_date", "")
        return page("home.html", {**lookups.bounds, "kept": lookups.kept_for, "claimed_text": claimed})

    # Browsers ask for it of themselves, and write an error into the console where there is none.
    @router.get("/favicon.ico", include_in_schema=False)
    async def icon() -> Response:
        return Response(status_code=204, headers={"Cache-Control": "max-age=86400"})

    @router.get("/assets/{name}", include_in_schema=False)
    async def assets(name: str) -> Response:
        if name not in ASSETS:
            raise Problem(404, "not_found", f"there is no {name}; expected one of: {', '.join(ASSETS)}")
        return Response(asset(name), media_type=ASSETS[name], headers={"Cache-Control": "max-age=300"})

    @router.post("/lookups", include_in_schema=False)
    async def look(request: Request) -> Response:
        with lookups.service.memory.room() as room:
            sent = await read_form(request, options, room)
            claimed = sent.fields.get("claimed_date", "").strip()
            claimed_at = claimed_of(claimed)
            uploads = uploads_of(sent)
            charge(request, len(uploads))
            work = look_up_for_page(lookups.service, uploads)
            lookup = await lookups.service.while_connected(request, work)
        seen = Seen(lookups.add(lookup), claimed=claimed_at, claimed_text=claimed)
        address = address_of(seen, lookup)
        request.state.told = {"snapshot": lookup.snapshot.number, "queries": len(lookup.queries)}
        if wants_json(request):
            return JSONResponse({"location": address}, 201, headers={"Location": address})
        return RedirectResponse(f"{address}#found", 303)


def _add_results(router: APIRouter, lookups: ShownLookups) -> None:
    @router.get("/lookups/{lookup_id}", include_in_schema=False)
    async def results(request: Request, lookup_id: str) -> Response:
        lookup = lookups.get(lookup_id)
        seen = seen_of(lookup_id, dict(request.query_params))
        values = await lookups.now(lambda opened: page_values(lookup, seen, opened))
        return page("lookup.html", {**values, **lookups.bounds, "kept": lookups.kept_for})

    @router.get("/lookups/{lookup_id}/answers.{kind}", include_in_schema=False)
    async def answers(request: Request, lookup_id: str, kind: str) -> Response:
        if kind not in ("csv", "json"):
            raise Problem(404, "not_found", f"there is no answers.{kind}; expected answers.csv or answers.json")
        lookup = lookups.get(lookup_id)
        seen = seen_of(lookup_id, dict(request.query_params))
        text = await lookups.now(lambda opened: text_of(kind, shown_queries(lookup, seen.claimed, opened), seen.choice))
        media_type = "text/csv; charset=utf-8" if kind == "csv" else "application/json"
        # Whoever finds the file later has to know that it is a part.
        name = f"firstseen-{date.today()}{'-chosen' if seen.choice.leaves_out else ''}.{kind}"
        saved = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(text, media_type=media_type, headers=HEADERS | saved)


def _add_pictures(router: APIRouter, lookups: ShownLookups) -> None:
    @router.get("/lookups/{lookup_id}/{number:int}.jpg", include_in_schema=False)
    async def query(lookup_id: str, number: int) -> Response:
        shown = await lookups.query(lookup_id, number)
        return _jpeg(shown.held.picture.jpeg if shown.held.picture else None)

    @router.get("/lookups/{lookup_id}/{number:int}-small.jpg", include_in_schema=False)
    async def small(lookup_id: str, number: int) -> Response:
        shown = await lookups.query(lookup_id, number)
        return _jpeg(await asyncio.to_thread(small_jpeg, shown.held.picture.jpeg) if shown.held.picture else None)

    @router.get("/lookups/{lookup_id}/{number:int}-{rank:int}.jpg", include_in_schema=False)
    async def match(lookup_id: str, number: int, rank: int) -> Response:
        found = (await lookups.query(lookup_id, number)).still.ranks.get(rank)
        return _jpeg(found.thumbnail if found else None)


def _add_evidence(router: APIRouter, lookups: ShownLookups) -> None:
    place = "/v1/evidence/{lookup_id}/{number}-{rank}"
    Number = Annotated[int, Path(ge=1, le=100_000)]  # noqa: N806 (a type)
    Claimed = Annotated[str, Query(max_length=40)]  # noqa: N806

    async def proof(lookup_id: str, number: int, rank: int, claimed: datetime | None) -> Any:
        snapshot = lookups.get(lookup_id).snapshot
        shown = await lookups.query(lookup_id, number, claimed)
        while True:
            found = await lookups.service.in_thread(proof_of, number, rank, shown, snapshot, claimed)
            before, shown = shown, await lookups.query(lookup_id, number, claimed)
            # What is withdrawn while the archive is read, which may take long, is not told.
            if shown.still.ranks.keys() == before.still.ranks.keys():
                return found

    @router.get(
        f"{place}.json",
        tags=["evidence"],
        summary="The record of a copy",
        responses=responses(401, 403, 404, 422, 429, 503),
    )
    async def record(lookup_id: str, number: Number, rank: Number, claimed_date: Claimed = "") -> dict[str, Any]:
        found = await proof(lookup_id, number, rank, claimed_of(claimed_date))
        return await asyncio.to_thread(record_of, found)

    @router.get(f"{place}.html", include_in_schema=False)
    async def evidence(request: Request, lookup_id: str, number: Number, rank: Number) -> Response:
        seen = seen_of(lookup_id, dict(request.query_params))
        found = await proof(lookup_id, number, rank, seen.claimed)
        values = await asyncio.to_thread(page_of, found)
        lookup = lookups.get(lookup_id)
        whence = {"all": address_of(seen, lookup), "asked": seen.asked, "looked_up": moment_words(lookup.made_at)}
        return page("evidence.html", {**values, **whence, "is_served": True})


def _add_status(router: APIRouter, lookups: ShownLookups) -> None:
    service = lookups.service
    status_of = RememberedStatus(service)

    @router.get("/status", include_in_schema=False)
    async def status(request: Request) -> Response:
        found = await service.while_connected(request, status_of())
        return page("status.html", status_values(found, service.live.state()))


def _jpeg(data: bytes | None) -> Response:
    if not data:
        raise Problem(404, "no_picture", "there is no such picture; expected one that the page of the lookup shows")
    return Response(data, media_type="image/jpeg", headers=CACHED)

"""Answers with the page that people use: a form for photos, what they came to, the evidence, and the store's status."""

import asyncio
import io
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from serving.answers import Answer
from serving.http.bodies import read_form
from serving.http.evidence import proof_of
from serving.http.html import HEADERS, page, wants_json, with_error_pages
from serving.http.lookup_page import Shown, page_values, shown_queries
from serving.http.page_addresses import address_of, claimed_of, query_of, seen_of
from serving.http.page_lookups import look_up_for_page, uploads_of
from serving.http.photos import CACHED
from serving.http.problems import Problem, responses
from serving.http.rates import charge
from serving.http.shown_lookups import ShownLookups
from serving.http.snapshots import RememberedStatus
from serving.http.status_page import status_values
from serving.output.csv_file import write_csv
from serving.output.evidence.page import page_of
from serving.output.evidence.record import record_of
from serving.output.json_file import write_json
from serving.output.view import asset

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
    async def form() -> Response:
        bounds = {"most_bytes": options.max_body_bytes, "most_photos": options.max_images}
        return page("home.html", bounds | {"kept": lookups.kept_for})

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
    @with_error_pages
    async def look(request: Request) -> Response:
        with lookups.service.memory.room() as room:
            sent = await read_form(request, options, room)
            claimed = sent.fields.get("claimed_date", "").strip()
            claimed_of(claimed)
            uploads = uploads_of(sent)
            charge(request, len(uploads))
            work = look_up_for_page(lookups.service, uploads)
            lookup = await lookups.service.while_connected(request, work)
        address = address_of(lookups.add(lookup), lookup, claimed)
        request.state.told = {"snapshot": lookup.snapshot.number, "queries": len(lookup.queries)}
        if wants_json(request):
            return JSONResponse({"location": address}, 201, headers={"Location": address})
        return RedirectResponse(f"{address}#found", 303)


def _add_results(router: APIRouter, lookups: ShownLookups) -> None:
    @router.get("/lookups/{lookup_id}", include_in_schema=False)
    @with_error_pages
    async def results(request: Request, lookup_id: str) -> Response:
        lookup = lookups.get(lookup_id)
        seen = seen_of(lookup_id, dict(request.query_params))
        values = await lookups.now(lambda opened: page_values(lookup, seen, opened))
        return page("lookup.html", values | {"kept": lookups.kept_for})

    @router.get("/lookups/{lookup_id}/answers.{kind}", include_in_schema=False)
    @with_error_pages
    async def answers(request: Request, lookup_id: str, kind: str) -> Response:
        if kind not in ("csv", "json"):
            raise Problem(404, "not_found", f"there is no answers.{kind}; expected answers.csv or answers.json")
        lookup = lookups.get(lookup_id)
        claimed = claimed_of(request.query_params.get("claimed_date", ""))
        text = await lookups.now(lambda opened: _text(kind, shown_queries(lookup, claimed, opened)))
        media_type = "text/csv; charset=utf-8" if kind == "csv" else "application/json"
        saved = {"Content-Disposition": f'attachment; filename="firstseen-{date.today()}.{kind}"'}
        return Response(text, media_type=media_type, headers=HEADERS | saved)


def _add_pictures(router: APIRouter, lookups: ShownLookups) -> None:
    @router.get("/lookups/{lookup_id}/{number:int}.jpg", include_in_schema=False)
    async def query(lookup_id: str, number: int) -> Response:
        shown = await lookups.query(lookup_id, number)
        return _jpeg(shown.held.picture.jpeg if shown.held.picture else None)

    @router.get("/lookups/{lookup_id}/{number:int}-{rank:int}.jpg", include_in_schema=False)
    async def match(lookup_id: str, number: int, rank: int) -> Response:
        found = (await lookups.query(lookup_id, number)).still.ranks.get(rank)
        return _jpeg(found.thumbnail if found else None)


def _add_evidence(router: APIRouter, lookups: ShownLookups) -> None:
    place = "/v1/evidence/{lookup_id}/{number}-{rank}"
    Number = Annotated[int, Path(ge=1, le=100_000)]  # noqa: N806 (a type)
    Claimed = Annotated[str, Query(max_length=40)]  # noqa: N806

    async def proof(lookup_id: str, number: int, rank: int, claimed_date: str) -> Any:
        shown = await lookups.query(lookup_id, number, claimed_date)
        snapshot = lookups.get(lookup_id).snapshot
        claimed = claimed_of(claimed_date)
        return await lookups.service.in_thread(proof_of, number, rank, shown, snapshot, claimed)

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
        back = address_of(lookup_id, lookups.get(lookup_id), claimed_date)
        return page("evidence.html", values | {"is_served": True, "all": back, "asked": query_of(claimed_date)})


def _add_status(router: APIRouter, lookups: ShownLookups) -> None:
    service = lookups.service
    status_of = RememberedStatus(service)

    @router.get("/status", include_in_schema=False)
    @with_error_pages
    async def status(request: Request) -> Response:
        found = await service.while_connected(request, status_of())
        return page("status.html", status_values(found, service.live.state()))


def _text(kind: str, shown: list[Shown]) -> str:
    file = io.StringIO()
    if kind == "csv":
        file.write("\ufeff")  # by which spreadsheets know UTF-8
        write_csv((_copies(one.answers) for one in shown), file)
    else:
        write_json((one.answers for one in shown), file)
    return file.getvalue()


def _copies(answers: Sequence[Answer]) -> list[Answer]:
    """Returns the copies of a query, or one row that says that there is none.

    Sorted by date in a spreadsheet, what is only similar would be taken for the first.
    """
    first = answers[0]
    found = [answer for answer in answers if answer.is_copy]
    said = {name: getattr(first, name) for name in ("query", "status", "snapshot", "encoder", "reason")}
    return found or [Answer(**said)]


def _jpeg(data: bytes | None) -> Response:
    if not data:
        raise Problem(404, "no_picture", "there is no such picture; expected one that the page of the lookup shows")
    return Response(data, media_type="image/jpeg", headers=CACHED)

"""Says which snapshot answers and how the store stands, and looks for a newer one when it is asked to."""

import asyncio
from concurrent.futures import Future
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, TypeAdapter
from starlette.responses import JSONResponse

from foundation.store.due import Due
from foundation.store.status import StoreStatus, read_status
from foundation.store.status_lines import to_object
from serving.http.holding import hold
from serving.http.lookup_requests import SnapshotNumber
from serving.http.problems import responses
from serving.live.state import Reloaded

if TYPE_CHECKING:
    from serving.http.service import Service

# A status costs dozens of requests to a bucket; pages of several people may ask for it at a time.
STATUS_SECONDS = 10.0


class SegmentAnswer(BaseModel):
    """One index of a snapshot: its distinct contents and photos, how it is searched, and how well it finds."""

    segment_id: str
    contents: int
    photos: int
    kind: str
    recall_at_10: float
    has_local_features: bool


class SnapshotAnswer(BaseModel):
    """The snapshot that answers, and what else the service knows: `refused` are numbers that do not answer, by why."""

    number: int
    created_at: str
    encoder: str
    dimension: int
    distance: str
    photos: int
    segments: list[SegmentAnswer]
    loaded: list[int]
    refused: dict[str, str]
    looked_at: str
    problem: str | None


class ReloadAnswer(BaseModel):
    """What a look for newer snapshots came to; `problem` says what could not be read."""

    before: int
    live: int
    refused: dict[str, str]
    problem: str | None


@dataclass(frozen=True, kw_only=True)
class StatusAnswer(StoreStatus):
    """What `firstseen status --json` says: what the store holds, and what somebody should see to."""

    newest_encoder: str | None = None  # type: ignore[misc]
    due: list[Due]
    next: str


_AS_JSON = TypeAdapter(dict[str, Any])


def make_router(service: "Service") -> APIRouter:
    """Returns the routes."""
    router = APIRouter(prefix="/v1", tags=["store"])
    status_of = RememberedStatus(service)

    @router.get("/snapshot", summary="Which snapshot answers", responses=responses(401, 403, 404, 422, 429, 503))
    async def snapshot(
        snapshot: Annotated[SnapshotNumber | None, Query(description="Default: the live one.")] = None,
    ) -> SnapshotAnswer:
        return describe_snapshot(service, snapshot)

    @router.get(
        "/status",
        summary="What the store holds",
        response_model=StatusAnswer,
        responses=responses(401, 403, 429, 503),
    )
    async def status(request: Request) -> JSONResponse:
        return JSONResponse(await service.while_connected(request, status_of()))

    @router.post("/admin/reload", summary="Look for a newer snapshot now", responses=responses(401, 403, 429, 503))
    async def reload(request: Request) -> ReloadAnswer:
        told = await service.while_connected(request, _end_of(service.live.reload()))
        refused = {str(number): why for number, why in told.refused.items()}
        return ReloadAnswer(before=told.before, live=told.live, refused=refused, problem=told.problem)

    return router


async def _end_of(reload: "Future[Reloaded]") -> Reloaded:
    # Others may wait for the same look, which goes on if this request ends.
    return await asyncio.shield(asyncio.wrap_future(reload))


def describe_snapshot(service: "Service", number: int | None = None) -> SnapshotAnswer:
    """Returns what is told of the live snapshot, or of the numbered one; raises what `hold` raises."""
    state = service.live.state()
    with hold(service.live, number) as held:
        live, spec, segments = held.snapshot, held.spec, held.opened.described
    return SnapshotAnswer(
        number=live.number,
        created_at=live.created_at,
        encoder=live.encoder_id,
        dimension=spec.dimension,
        distance=spec.distance,
        photos=live.photos,
        segments=[
            SegmentAnswer(
                segment_id=one.segment_id,
                contents=one.rows,
                photos=one.photos,
                kind=one.kind,
                recall_at_10=one.recall_at_10,
                has_local_features=one.local is not None,
            )
            for one in segments
        ],
        loaded=list(state.loaded),
        refused={str(number): why for number, why in state.refused.items()},
        looked_at=state.looked_at.isoformat(),
        problem=state.problem,
    )


class RememberedStatus:
    """The status of a store as JSON types, read at most every few seconds, by one request for all that wait."""

    def __init__(self, service: "Service"):
        self._service = service
        self._reading = asyncio.Lock()
        self._read_at = -STATUS_SECONDS
        self._status: Any = None

    async def __call__(self) -> Any:
        """Returns what `firstseen status --json` says."""
        async with self._reading:
            if monotonic() - self._read_at >= STATUS_SECONDS:
                status = await self._service.in_reader(read_status, self._service.store)
                self._status, self._read_at = _AS_JSON.dump_python(to_object(status), mode="json"), monotonic()
        return self._status

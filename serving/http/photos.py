"""Shows photos of the archives by their names, and thumbnails of them: what the live snapshot knows, and may show."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from foundation.errors import InputNotFoundError, TemporaryError
from foundation.store.occurrences import Basis, Occurrence, first_seen
from serving.http.holding import hold
from serving.http.lookup_requests import SnapshotNumber
from serving.http.problems import Problem, responses
from serving.http.snapshot_header import SNAPSHOT_HEADER
from serving.http.thumbnails import thumbnail_of
from serving.live.held import Held
from serving.search.names import find_named, named_in

if TYPE_CHECKING:
    from serving.http.service import Service

# What was retracted is gone from caches, too, before a minute is over.
CACHED = {"Cache-Control": "private, max-age=20"}


class PhotoOccurrence(BaseModel):
    """One place where an archive holds the same bytes, and what an editor knows of the photo there."""

    photo_id: str
    uri: str
    archive: str
    published_at: datetime | None
    captured_at: datetime | None
    caption: str | None
    credit: str | None
    source: str | None


class PhotoAnswer(BaseModel):
    """What a snapshot knows of one photo; `occurrences` are all photos of the same bytes, first published first."""

    snapshot: int
    photo_id: str
    archive: str
    content_sha256: str
    width: int
    height: int
    first_seen_at: datetime | None
    first_seen_basis: Basis | None
    first_seen_uri: str
    occurrences: list[PhotoOccurrence]
    thumbnail: str


PhotoId = Annotated[str, Path(max_length=4_096, description="The name of the photo in its archive.")]
Archive = Annotated[str | None, Query(max_length=4_096, description="Its archive, where several have the name.")]
Snapshot = Annotated[SnapshotNumber | None, Query(description="Default: the live one.")]
Content = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="The SHA-256 of the photo's file.")]


def make_router(service: "Service") -> APIRouter:
    """Returns the routes."""
    router = APIRouter(prefix="/v1", tags=["photos"])

    @router.get(
        "/photos/{photo_id:path}",
        summary="What is known of a photo",
        response_model=PhotoAnswer,
        responses=responses(401, 403, 404, 422, 429, 503),
    )
    async def photo(
        request: Request, photo_id: PhotoId, archive: Archive = None, snapshot: Snapshot = None
    ) -> JSONResponse:
        # The thread holds the snapshot itself, for it may go on after the request has ended.
        def find() -> PhotoAnswer:
            with hold(service.live, snapshot) as held:
                return find_photo(service, held, photo_id, archive)

        found = await service.while_connected(request, service.in_reader(find))
        return JSONResponse(found.model_dump(mode="json"), headers=CACHED | {SNAPSHOT_HEADER: str(found.snapshot)})

    @router.get(
        "/thumbnails/{content_sha256}",
        summary="A small JPEG of a photo",
        response_class=Response,
        responses={200: {"content": {"image/jpeg": {}}}, **responses(401, 403, 404, 422, 429, 503)},
    )
    async def thumbnail(request: Request, content_sha256: Content, snapshot: Snapshot = None) -> Response:
        def make() -> tuple[bytes, int]:
            with hold(service.live, snapshot) as held:
                return thumbnail_of(held, bytes.fromhex(content_sha256)), held.snapshot.number

        data, number = await service.while_connected(request, service.in_reader(make))
        return Response(data, media_type="image/jpeg", headers=CACHED | {SNAPSHOT_HEADER: str(number)})

    return router


def find_photo(service: "Service", held: Held, photo_id: str, archive: str | None) -> PhotoAnswer:
    """Returns what a snapshot knows of a photo; raises InputNotFoundError without one that may be shown.

    Raises a Problem, 422, if several archives have one of that name and none is given, TemporaryError if the store is
    away.
    """
    try:
        contents = {one.content for one in find_named(service.store, held.opened.described, named_in([photo_id]))}
    except InputNotFoundError as error:
        # The snapshot answers, and has these tables; the error names places of this machine.
        raise TemporaryError("the tables of photos cannot be read now; expected the store: ask again") from error
    # Large tables take a while: what counts is what is withdrawn after that.
    held.require_fresh()
    shown = {content: held.opened.occurrences(content) for content in sorted(contents)}
    named = [
        (content, one)
        for content, occurrences in shown.items()
        for one in occurrences
        if one.photo_id == photo_id and archive in (None, one.archive)
    ]
    if not named:
        raise InputNotFoundError(
            f"snapshot {held.snapshot.number} has no photo {photo_id[:200]!r}; expected the photo_id of an answer"
        )
    _require_one_archive(photo_id, (one for _, one in named))
    content, one = named[0]
    return _answer(held, one, content, shown[content])


def _answer(held: Held, named: Occurrence, content: bytes, occurrences: list[Occurrence]) -> PhotoAnswer:
    places = held.opened.places([content])[0]
    if not places:
        raise InputNotFoundError(f"snapshot {held.snapshot.number} has no photo {named.photo_id[:200]!r} any more")
    row = held.opened.photo(places[0])
    seen = first_seen(occurrences, row["captured_at"])
    return PhotoAnswer(
        snapshot=held.snapshot.number,
        photo_id=named.photo_id,
        archive=named.archive,
        content_sha256=content.hex(),
        width=row["width"],
        height=row["height"],
        first_seen_at=seen.at,
        first_seen_basis=seen.basis,
        first_seen_uri=seen.uri,
        occurrences=[PhotoOccurrence(**{name: getattr(one, name) for name in _SHOWN}) for one in occurrences],
        thumbnail=f"/v1/thumbnails/{quote(content.hex())}?snapshot={held.snapshot.number}",
    )


_SHOWN = tuple(PhotoOccurrence.model_fields)


def _require_one_archive(photo_id: str, named: Iterable[Occurrence]) -> None:
    archives = sorted({one.archive for one in named})
    if len(archives) > 1:
        listed = ", ".join(archives)
        raise Problem(
            422, "several_archives", f"{len(archives)} archives have {photo_id!r}; expected archive, one of: {listed}"
        )

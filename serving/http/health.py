"""Says whether the service lives, and whether it may be asked: what a cluster probes."""

from typing import TYPE_CHECKING

from fastapi import APIRouter
from pydantic import BaseModel

from serving.http.problems import Problem, responses, retry_after

if TYPE_CHECKING:
    from serving.http.service import Service


class Health(BaseModel):
    """That the service does what was asked of it."""

    status: str


def make_router(service: "Service") -> APIRouter:
    """Returns the routes."""
    router = APIRouter(tags=["health"])

    @router.get("/livez", summary="Whether the process answers at all")
    async def livez() -> Health:
        return Health(status="alive")

    @router.get("/readyz", summary="Whether lookups are answered", responses=responses(503))
    async def readyz() -> Health:
        if not service.live.state().is_ready:
            raise Problem(503, "not_ready", "no snapshot answers now; expected one", headers=[retry_after(2)])
        return Health(status="ready")

    return router

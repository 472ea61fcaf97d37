"""Puts the service together from its parts: an app that answers from a live searcher."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import FastAPI

from serving.http import health, lookups, problems
from serving.http.bodies import BodyMemory
from serving.http.edge import Edge
from serving.http.options import ServeOptions

if TYPE_CHECKING:
    from serving.live.live_searcher import LiveSearcher


@dataclass(frozen=True)
class Service:
    """What every route of the app has: the searcher that answers, the options, and what is shared by all requests."""

    live: "LiveSearcher"
    options: ServeOptions
    memory: BodyMemory


def make_app(live: "LiveSearcher", options: ServeOptions) -> FastAPI:
    """Returns the app; whoever made `live` closes it."""
    app = FastAPI(title="firstseen", docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    service = Service(live, options, BodyMemory(options.max_bodies_bytes))
    problems.add_handlers(app)
    app.add_middleware(Edge)
    for part in (health, lookups):
        app.include_router(part.make_router(service))
    return app

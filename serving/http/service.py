"""Puts the service together from its parts: an app that answers from a live searcher."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from fastapi import FastAPI
from starlette.requests import Request

from foundation.store.files import Store
from serving.http import documents, health, lookups, monitoring, pages, photos, snapshots
from serving.http.access_log import Log
from serving.http.answering import while_connected
from serving.http.bodies import BodyMemory
from serving.http.edge import Edge
from serving.http.error_answers import add_handlers
from serving.http.fetching import Fetcher
from serving.http.guard import Guard
from serving.http.keys import KeyFile, read_keys
from serving.http.metrics import Metrics
from serving.http.options import ServeOptions
from serving.http.readers import Readers
from serving.http.web import Web
from serving.live.live_searcher import LiveSearcher

Result = TypeVar("Result")

FETCH_THREADS = 8


@dataclass(frozen=True)
class Service:
    """What every route has: the searcher that answers, its store, the options, and what all requests share."""

    live: LiveSearcher
    store: Store
    options: ServeOptions
    metrics: Metrics
    log: Log
    memory: BodyMemory
    fetcher: Fetcher
    _fetching: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(FETCH_THREADS, "fetch"))
    _readers: Readers = field(default_factory=Readers)

    async def in_thread(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Returns what a function returns that may wait for disks and networks."""
        return await asyncio.get_running_loop().run_in_executor(self._fetching, partial(function, *arguments))

    async def in_reader(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Returns what a function returns that reads the store; raises what `Readers.call` raises."""
        return await self._readers.call(function, *arguments)

    async def while_connected(self, request: Request, work: Coroutine[Any, Any, Result]) -> Result:
        """Returns what the work for a request comes to, in the time that a request has."""
        return await while_connected(request, work, seconds=self.options.request_seconds)


def make_app(
    live: LiveSearcher, options: ServeOptions, *, store: Store, metrics: Metrics | None = None, log: Log | None = None
) -> FastAPI:
    """Returns the app; whoever made `live` closes it.

    `metrics` are those that `live` tells what it does, if it does. Raises UsageError or InputNotFoundError for keys
    that cannot be read, or places that photos cannot be read from.
    """
    metrics, log = metrics or Metrics(), log or _silent
    metrics.watch(live)
    service = Service(
        live,
        store,
        options,
        metrics,
        log,
        BodyMemory(options.max_bodies_bytes),
        Fetcher(options.allow_uri, Web(options.allow_host)),
    )
    app = FastAPI(title="firstseen", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.service = service
    add_handlers(app)
    for part in (health, lookups, photos, snapshots, monitoring, pages, documents):
        app.include_router(part.make_router(service))
    keys = KeyFile(options.keys, on_problem=partial(_tell, log)) if options.keys else None
    # The last one added is the outermost.
    app.add_middleware(Guard, keys=keys, is_open=options.insecure)
    app.add_middleware(Edge, metrics=metrics, log=log)
    return app


def check_files(options: ServeOptions) -> None:
    """Raises at once what `make_app` would raise for keys and places, which are looked at before a store is opened."""
    if options.keys:
        read_keys(options.keys)
    Fetcher(options.allow_uri, Web(options.allow_host))


def _tell(log: Log, problem: str) -> None:
    log("keys", "error", {"problem": problem})


def _silent(event: str, level: str, fields: Mapping[str, object]) -> None:
    """Logs nothing."""

"""A client that calls an app without a socket."""

import asyncio
from typing import Any

import httpx
from starlette.types import ASGIApp


class AppClient:
    """Sends requests to an app, one at a time, as if from the given address to the given host."""

    def __init__(self, app: ASGIApp, *, address: str = "127.0.0.1", base_url: str = "http://127.0.0.1:8080"):
        self._transport = httpx.ASGITransport(app, client=(address, 50_000))
        self._base_url = base_url

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Sends one request, and returns its answer."""

        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url=self._base_url) as client:
                return await client.request(method, path, **arguments)

        return asyncio.run(send())

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        """Sends a GET."""
        return self.request("GET", path, **arguments)

    def post(self, path: str, **arguments: Any) -> httpx.Response:
        """Sends a POST."""
        return self.request("POST", path, **arguments)

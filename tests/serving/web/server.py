"""Serves a store for the tests of the page: python -m tests.serving.web.server STORE PORT."""

import asyncio
import sys

from foundation.store.files import Store
from serving.http.options import ServeOptions
from serving.http.server import serve
from serving.http.service import make_app
from serving.live.live_searcher import LiveSearcher


def main(store: str, port: str) -> None:
    """Serves until it is told to end."""
    options = ServeOptions(port=int(port), max_images=5)
    opened = Store(store)
    with LiveSearcher.open(opened) as live:
        app = make_app(live, options, store=opened)
        asyncio.run(serve(app, options, drain=live.drain))


if __name__ == "__main__":
    main(*sys.argv[1:])

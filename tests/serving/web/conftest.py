"""A service with a small archive of photographs, and a browser that looks at its page."""

import shutil
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.serving.http.running import running

CHROMIUM = "chromium"
WAIT_SECONDS = 60
SLOW_SECONDS = 3


@dataclass(frozen=True)
class NewsDesk:
    """A served archive: its address, and edited copies of its photographs, by what was done to them."""

    url: str
    store: Path
    queries: Path

    def query(self, name: str) -> Path:
        """Returns the copy whose name begins so."""
        (path,) = self.queries.glob(f"{name}*")
        return path


@pytest.fixture(scope="package")
def browser() -> Iterator[object]:
    """Chromium, without a window; it ends with the tests of this folder, since its loop keeps others from running."""
    path = shutil.which(CHROMIUM)
    if path is None:
        pytest.skip(f"no {CHROMIUM} here: `apt-get install {CHROMIUM}`, as .ci/run does")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # In a container there is no user to change to, which the sandbox of Chromium needs.
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def desk_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an archive of photographs that scikit-image ships, a store of it, and queries."""
    from firstseen.demo.archive import CATALOG, write_demo_archive, write_demo_queries
    from foundation.store.files import Store
    from pipelines.encode.job import encode
    from pipelines.encode.plan import EncodeOptions
    from pipelines.index.job import build_index

    folder = tmp_path_factory.mktemp("desk")
    archive, store = folder / "archive", folder / "store"
    write_demo_archive(archive, photos=22)
    write_demo_queries(archive, folder / "queries")
    encode(EncodeOptions(archive=str(archive), store=str(store), catalog=folder / CATALOG))
    build_index(Store(store))
    return folder


@pytest.fixture(scope="package")
def desk(desk_files: Path) -> Iterator[NewsDesk]:
    """A service that answers from that store, as its users start it."""
    with running(desk_files / "store", desk_files / "serve.log", "--max-images", "5") as service:
        yield NewsDesk(service.address, desk_files / "store", desk_files / "queries")


@pytest.fixture
def slow_url(desk: NewsDesk) -> Iterator[str]:
    """The same service behind a line on which answers to what is posted take some seconds."""

    class Line(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            host, _, port = desk.url.removeprefix("http://").partition(":")
            with socket.create_connection((host, int(port))) as service:
                back = threading.Thread(target=self._give_back, args=[service], daemon=True)
                back.start()
                self._is_posted = False
                while data := self.request.recv(65_536):
                    self._is_posted |= data.startswith(b"POST ")
                    service.sendall(data)
                service.shutdown(socket.SHUT_WR)
                back.join(WAIT_SECONDS)

        def _give_back(self, service: socket.socket) -> None:
            # The page is gone when the test is.
            with suppress(OSError):
                while data := service.recv(65_536):
                    time.sleep(SLOW_SECONDS if self._is_posted else 0)
                    self._is_posted = False
                    self.request.sendall(data)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Line) as server:
        server.daemon_threads, server.block_on_close = True, False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def new_page(browser, desk: NewsDesk) -> Iterator[Callable]:
    """A function that opens a page of the service, in a browser that knows nothing of the others; it fails on errors.

    Whatever a page logs as an error, a violation of its policy too, fails the test.
    """
    contexts, errors = [], []

    def make(path: str = "/", **options):
        # The animation of a scroll would be in the pictures.
        context = browser.new_context(base_url=desk.url, reduced_motion="reduce", **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: message.type == "error" and errors.append(message.text))
        page.goto(path)
        return page

    make.errors = errors
    yield make
    for context in contexts:
        context.close()
    assert errors == []

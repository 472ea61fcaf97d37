"""The page of a service, asked without a socket."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from foundation.store.files import Store
from foundation.store.retractions import RetractedPhoto, add_retraction
from serving.http.options import ServeOptions
from serving.http.service import make_app
from serving.live.live_searcher import LiveSearcher
from serving.live.options import LiveOptions
from tests.conftest import Desk
from tests.serving.http.clients import AppClient


@dataclass(frozen=True)
class Page:
    """A service of a store of its own, and a client of it."""

    client: AppClient
    live: LiveSearcher
    store: Store
    archive: Path

    def look_up(self, *names: str, **fields: str) -> str:
        """Looks photos of the archive up, and returns the address of the result."""
        files = [("image", (f"{name}-asked.jpg", self.photo(name))) for name in names]
        response = self.client.post("/lookups", files=files, data=fields)
        assert response.status_code == 303, response.text
        return response.headers["Location"].partition("#")[0]

    def photo(self, name: str) -> bytes:
        """Returns the bytes of a photo of the archive."""
        (path,) = self.archive.rglob(f"{name}.jpg")
        return path.read_bytes()

    def withdraw(self, name: str) -> None:
        """Takes a photo down."""
        content = hashlib.sha256(self.photo(name)).hexdigest()
        (path,) = self.archive.rglob(f"{name}.jpg")
        photo = RetractedPhoto(archive="any", photo_id=str(path), content_sha256=content)
        add_retraction(self.store, [photo], why="taken down")
        self.live.reload().result()


@contextmanager
def page_of(desk: Desk, folder: Path) -> Iterator[Page]:
    """Yields the page of a service, which takes three photos at a time, with a copy of a store in a folder."""
    store = Store(shutil.copytree(desk.store, folder / "store"))
    with LiveSearcher.open(store, LiveOptions(snapshot_poll_seconds=3_600)) as live:
        app = make_app(live, ServeOptions(max_images=3), store=store)
        yield Page(AppClient(app), live, store, desk.archive)

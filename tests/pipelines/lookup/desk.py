"""A store and photos to look up, for tests of the job with stand-ins for models and indexes."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import pytest

from foundation.store.retractions import RetractedPhoto
from pipelines.lookup.job import Listeners, look_up
from pipelines.lookup.plan import LookupOptions
from serving.answers import Answer
from serving.match.options import MatchOptions
from serving.queries import Listed
from tests.nights import Nights
from tests.pipelines.lookup.made_batch import Calls


class Desk:
    """A store with three segments, and photos to look up; every lookup is of chunks of two, two chunks a round."""

    def __init__(self, folder: Path, nights: Nights, calls: Calls):
        self.folder, self.nights, self.store, self.calls = folder, nights, nights.store, calls

    def photo(self, name: str, data: bytes) -> str:
        """Writes a photo to look up."""
        path = self.folder / "asked" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return str(path)

    def options(self, **changes) -> LookupOptions:
        """Returns options."""
        small = {"match": MatchOptions(batch_size=2), "chunk_queries": 2, "round_queries": 4}
        return LookupOptions(store=self.store.uri, **{**small, **changes})

    def look_up(self, names: Iterable[str], listeners: Listeners = Listeners(), **changes) -> list[list[Answer]]:  # noqa: B008
        """Looks up."""
        with look_up(map(Listed, names), self.options(**changes), listeners) as found:
            return list(found.answers(may_be_taken_back=True))


def told(answers: list[list[Answer]]) -> list[tuple[str, str, str | None]]:
    """Returns of each query its name, its status, and the photo that was found."""
    return [(one.query.rpartition("/")[2], one.status, one.photo_id) for (one,) in answers]


def digest(data: bytes) -> bytes:
    """Returns a content."""
    return hashlib.sha256(data).digest()


def cut_off_at_the_end(desk: Desk, names: Iterable[str | Listed], **changes) -> None:
    """Answers everything, and fails to write the answers."""

    def fail() -> None:
        listed = [Listed(one) if isinstance(one, str) else one for one in names]
        with look_up(listed, desk.options(**changes)):
            raise OSError("the disk for the output is full")

    with pytest.raises(OSError, match="is full"):
        fail()


def withdrawn(data: bytes) -> RetractedPhoto:
    """Returns the photo with that content."""
    return RetractedPhoto(archive="a", photo_id="p", content_sha256=digest(data).hex())

"""Photos that the live snapshot does not mention are purged, too: those of snapshots and runs that do not count."""

import shutil
from pathlib import Path

import pytest

from foundation.store.retractions import add_retraction
from foundation.store.rollback import roll_back
from foundation.store.verify import verify
from pipelines.encode.job import encode
from pipelines.encode.plan import EncodeOptions
from pipelines.purge.job import purge
from serving.retract import photos_named
from tests.photos import jpeg, noise
from tests.pipelines.traces import traces
from tests.pipelines.two_nights import Nights


@pytest.mark.parametrize("name", ["new.jpg", "renamed.jpg"])
def test_a_photo_of_a_night_that_was_rolled_back(nights: Nights, name: str) -> None:
    """Its run is left out, and its segments are in old snapshots alone."""
    roll_back(nights.opened, 2)
    photos = photos_named(nights.opened, [name])
    add_retraction(nights.opened, photos, why="a court order")
    purge(nights.opened, photos)
    assert traces(nights.store, name, bytes.fromhex(photos[0].content_sha256)) == []
    verify(nights.opened)


def test_a_photo_that_is_in_a_waiting_run_alone(nights: Nights, tmp_path: Path) -> None:
    """No snapshot mentions it yet, and there may be none at all."""
    third = tmp_path / "third"
    third.mkdir()
    for number in range(2):
        (third / f"{number}.jpg").write_bytes(jpeg(noise(200 + number)))
    encode(EncodeOptions(archive=str(third), store=str(nights.store)))
    shutil.rmtree(nights.store / "snapshots")
    photos = photos_named(nights.opened, ["1.jpg"], archive=f"file://{third}")
    add_retraction(nights.opened, photos, why="a court order")
    purge(nights.opened, photos)
    assert traces(nights.store, "1.jpg", bytes.fromhex(photos[0].content_sha256)) == []

"""Taking an archive out: whether it is still there or not, its photos are found no more, and those of others are."""

import shutil
import time

import pytest

from foundation.errors import InputNotFoundError, UsageError
from foundation.store.runs import Run
from foundation.store.snapshots import live_snapshot
from pipelines.encode.job import encode
from pipelines.encode.plan import EncodeOptions
from pipelines.index.job import build_index
from pipelines.reindex.job import archives_to_encode
from tests.builders import add_encoder
from tests.nights import Found, Nights
from tests.old_stores import as_version_2

STAYS = {Found("stays", "a.jpg", 1)}


@pytest.fixture
def two_archives(nights: Nights) -> Nights:
    """An archive that is to go, more than a few photos large, and one that holds one of them as well."""
    for number in range(30):
        nights.put(f"{number}.jpg", number, archive="goes")
    nights.put("a.jpg", 1, archive="stays")
    nights.night("goes")
    nights.night("stays")
    return nights


def read_again(nights: Nights, run: Run, *names: str) -> None:
    """Reads some photos of a run's archive again."""
    encode(EncodeOptions(archive=run.archive, store=nights.store.uri, features="none", read_again=names))


@pytest.mark.parametrize("is_there", [True, False])
def test_all_photos_of_an_archive_are_taken_out(two_archives: Nights, is_there: bool) -> None:
    """It may be most of the store; a second time there is nothing to do."""
    if not is_there:
        shutil.rmtree(two_archives.path(".", "goes"))
    result = two_archives.night("goes", remove_archive=True)
    assert (result.accounting.listed, result.accounting.removed) == (0, 30)
    assert two_archives.found() == STAYS
    assert not two_archives.encode("goes", remove_archive=True).is_new


def test_an_archive_is_named_as_status_does(two_archives: Nights) -> None:
    """By its URI; a name that no run knows is refused, and the known ones are shown."""
    uri = next(uri for uri in live_snapshot(two_archives.store).archives if uri.endswith("/goes"))
    with pytest.raises(InputNotFoundError, match=f"knows no archive .*/goes/nope; expected one of .*{uri}"):
        two_archives.encode("goes/nope", remove_archive=True)
    encode(EncodeOptions(archive=uri, store=two_archives.store.uri, features="none", remove_archive=True))
    two_archives.index()
    assert two_archives.found() == STAYS


def test_an_archive_that_was_taken_out_can_come_back(two_archives: Nights) -> None:
    """Its vectors are still there, so that each photo costs a hash."""
    found = two_archives.found()
    two_archives.night("goes", remove_archive=True)
    two_archives.decoded.clear()
    two_archives.night("goes")
    assert two_archives.found() == found
    assert two_archives.decoded == []


def test_another_encoder_need_not_know_an_archive_that_was_taken_out(two_archives: Nights) -> None:
    """It has no photo to lose by the switch."""
    two_archives.night("goes", remove_archive=True)
    other = add_encoder(two_archives.store, recipe="other")
    two_archives.encode("stays", encoder=other)
    assert archives_to_encode(two_archives.store, other) == []
    build_index(two_archives.store, encoder=other)
    assert two_archives.found() == STAYS


def test_photos_are_read_again_alone(nights: Nights) -> None:
    """Whatever the times of the others, and although some could not be read."""
    nights.put("a.jpg", 1)
    nights.put("late.jpg", 2, at=int(time.time()) + 100)
    nights.path("link.jpg").symlink_to("nowhere")
    run = nights.night().run
    nights.read.clear()
    read_again(nights, run, "a.jpg")
    assert nights.read == ["a.jpg"]


def test_photos_of_runs_of_an_older_version_are_read_again(nights: Nights) -> None:
    """Also beside one that they saw with two contents."""
    nights.put("a.jpg", 1)
    nights.put("b.jpg", 2)
    first = nights.encode().run
    nights.put("a.jpg", 3)
    as_version_2(nights.store, first, nights.encode().run)
    nights.read.clear()
    read_again(nights, first, "b.jpg")
    assert nights.read == ["b.jpg"]


def test_what_is_taken_out_is_not_described_as_well() -> None:
    """An option that does nothing is a mistake."""
    with pytest.raises(UsageError, match="expected it without --catalog, --include"):
        EncodeOptions(archive="a", store="s", include=("*.jpg",), remove_archive=True)

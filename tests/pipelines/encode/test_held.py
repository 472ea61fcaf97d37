"""What has a vector already, and what has lost its own: an encode mends by itself what nothing holds any more."""

from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from foundation.store.chains import read_runs
from foundation.store.encoders import list_encoders
from foundation.store.retractions import RetractedPhoto, add_retraction
from foundation.store.segments import whole_hash
from pipelines.compact.job import compact_all
from pipelines.encode.held import embedded_contents, lost_contents, read_waiting, sorted_hashes
from tests.nights import Found, Nights, hash_of

HERE, COPY = Found("archive", "a.jpg", 1), Found("archive", "copy.jpg", 1)
ELSEWHERE = Found("second", "elsewhere.jpg", 1)
STAYS = {Found("archive", "stays.jpg", 2), Found("second", "other.jpg", 3)}


def withdraw(nights: Nights, name: str, number: int, *, archive: str = "archive") -> int:
    """Withdraws a photo and its content; returns the number of the entry."""
    photo = RetractedPhoto(
        archive=nights.path(".", archive).as_uri(), photo_id=name, content_sha256=hash_of(number).hex()
    )
    return add_retraction(nights.store, [photo], why="asked for").number


def take_back(nights: Nights, number: int) -> None:
    """Undoes an entry."""
    add_retraction(nights.store, [], why="in error", undoes=number)


def three_places(nights: Nights) -> None:
    """Indexes one picture under three names, in two archives, and others beside it."""
    for name, number, archive in (
        ("a.jpg", 1, "archive"),
        ("copy.jpg", 1, "archive"),
        ("stays.jpg", 2, "archive"),
        ("elsewhere.jpg", 1, "second"),
        ("other.jpg", 3, "second"),
    ):
        nights.put(name, number, archive=archive)
    nights.night()
    nights.night("second")
    nights.read.clear()


def test_what_was_withdrawn_dropped_and_taken_back_is_found_again_wherever_it_lies(nights: Nights) -> None:
    """No run was made in between: the inventories still name the content, and nothing holds it."""
    three_places(nights)
    entry = withdraw(nights, "a.jpg", 1)
    assert compact_all(nights.store).dropped == 1
    assert nights.found() == STAYS
    take_back(nights, entry)
    nights.night()
    assert nights.found() == STAYS | {HERE, COPY}
    nights.decoded.clear()
    nights.night("second")
    assert nights.decoded == []
    assert nights.found() == STAYS | {HERE, COPY, ELSEWHERE}
    assert sorted(nights.read) == ["a.jpg", "copy.jpg", "elsewhere.jpg"]


def test_what_was_taken_back_and_removed_meanwhile_is_gone(nights: Nights) -> None:
    """Nothing was dropped: it would be found where it does not lie any more."""
    three_places(nights)
    take_back(nights, withdraw(nights, "a.jpg", 1))
    nights.path("copy.jpg").unlink()
    nights.night()
    assert nights.found() == STAYS | {HERE, ELSEWHERE}


def test_a_withdrawn_copy_is_read_once_and_again_when_it_was_taken_back(nights: Nights) -> None:
    """It is a reject by its bytes, under a name that nobody withdrew."""
    three_places(nights)
    entry = withdraw(nights, "elsewhere.jpg", 1, archive="second")
    for expected in ([], ["new.jpg"], []):
        if expected:
            nights.put("new.jpg", 1)
        nights.night()
        assert nights.read == expected
        nights.read.clear()
    assert nights.found() == STAYS
    take_back(nights, entry)
    nights.night()
    assert nights.found() == STAYS | {HERE, COPY, ELSEWHERE, Found("archive", "new.jpg", 1)}


def test_a_run_that_relied_on_one_that_was_left_out_is_mended_by_the_next(nights: Nights) -> None:
    """Its photos had no vector of their own."""
    nights.put("a.jpg", 1)
    relied_on = nights.encode().run
    nights.put("elsewhere.jpg", 1, archive="second")
    nights.put("other.jpg", 3, archive="second")
    nights.encode("second")
    nights.index(leave_out=(relied_on.run_id,))
    nights.night("second")
    assert nights.found() == {ELSEWHERE, Found("second", "other.jpg", 3)}


def test_what_waits_takes_32_bytes_for_each_content(nights: Nights) -> None:
    """Hashes of each shard are one array; a run without local features has nothing for one that wants them."""
    for number in range(5):
        nights.put(f"{number}.jpg", number)
    nights.encode()
    (waiting,) = read_waiting(nights.store, read_runs(nights.store, list_encoders(nights.store)[0]).finished)
    assert sorted((part.dtype.str, len(part)) for part in waiting.contents) == [("|S32", 2), ("|S32", 3)]
    assert embedded_contents([waiting], "local") == []
    held = sorted_hashes(embedded_contents([waiting], "none"))
    assert [whole_hash(one) for one in held.tolist()] == sorted(map(hash_of, range(5)))


def test_a_hash_that_ends_in_zeros_is_no_loss_when_it_is_held(nights: Nights, tmp_path: Path) -> None:
    """NumPy drops them; what is lost is named whole."""
    nights.put("a.jpg", 1)
    nights.night()
    names = [hash_of(1), bytes(31) + b"x", b"y" + bytes(31)]
    inventory = tmp_path / "inventory.parquet"
    parquet.write_table(pa.table({"content_sha256": pa.array([*names, None], pa.binary(32))}), inventory)
    live = nights.index().snapshot
    assert lost_contents(nights.store, [inventory], live, []) == names[1:]
    assert lost_contents(nights.store, [inventory], None, []) == sorted(names)
    assert lost_contents(nights.store, [], live, []) == []

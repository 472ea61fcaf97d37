"""Verifying a snapshot: every byte below it is checked, and what is missing is named with what it means."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from foundation.errors import ArtifactRefusedError, InputNotFoundError
from foundation.store import artifact
from foundation.store.encoders import read_spec
from foundation.store.files import Store
from foundation.store.ignored import add_ignored
from foundation.store.runs import Run, read_run, run_path
from foundation.store.segments import Segment, SegmentReference, segment_path
from foundation.store.snapshots import Snapshot, publish, read_snapshot
from foundation.store.verify import verify
from tests.builders import add_encoder, add_run, segment, snapshot, unit_vectors


@dataclass(frozen=True)
class Published:
    """A store with one snapshot of one segment, which was built from one run."""

    store: Store
    snapshot: Snapshot
    segment: Segment
    run: Run

    def path(self, part: str) -> Path:
        """Returns where a file of the encoder, the segment or the run lies."""
        folder, name = part.split("/")
        folders = {
            "encoder": f"encoders/{self.run.encoder_id}",
            "segment": f"segments/{self.segment.segment_id}",
            "run": self.run.directory,
        }
        found = self.store.local_root / folders[folder]
        return found / (next(iter(self.run.files)) if name == "shard" else name)


@pytest.fixture
def published(tmp_path: Path) -> Published:
    """A store built by hand: the encoder's model is one byte, the segment's vectors are nine."""
    store = Store(tmp_path)
    encoder_id = add_encoder(store, recipe="m")
    store.create(f"encoders/{encoder_id}/model", b"m")
    _, digest = read_spec(store, encoder_id)
    run = add_run(store, encoder_id, "run-1", unit_vectors(3, 4))
    _, run_digest = read_run(store, encoder_id, run.run_id)
    store.create("segments/one/vectors.npy", b"123456789")
    described = segment(
        segment_id="one",
        encoder_id=encoder_id,
        encoder_digest=digest,
        rows=3,
        photos=3,
        runs={run.run_id: run_digest},
        files=artifact.record(store, "segments/one", ["vectors.npy"]),
    )
    made = snapshot(1, encoder_id=encoder_id, encoder_digest=digest, segments=[finish(store, described)])
    publish(store, made)
    return Published(store, made, described, run)


def finish(store: Store, described: Segment) -> SegmentReference:
    """Writes a segment's description and returns the reference to it."""
    digest = artifact.finish(store, segment_path(described.segment_id), described)
    return SegmentReference(
        segment_id=described.segment_id, digest=digest, rows=described.rows, photos=described.photos
    )


def test_an_untouched_snapshot_is_whole(published: Published) -> None:
    """Every file of the encoder, the segment and the run is read, and said so on the way."""
    reported: list[str] = []
    checked, size_bytes = verify(published.store, on_artifact=reported.append)
    assert checked == published.snapshot
    assert reported == [f"encoders/{published.run.encoder_id}", "segments/one", published.run.directory]
    assert size_bytes == 1 + 9 + sum(record.size_bytes for record in published.run.files.values())


def test_a_run_of_several_segments_is_read_once(published: Published) -> None:
    """A large run is cut into many segments; its shards are not hashed again for each."""
    store, reported = published.store, []
    second = finish(store, replace(published.segment, segment_id="two", files={}))
    publish(store, replace(published.snapshot, number=2, segments=[*published.snapshot.segments, second]))
    verify(store, on_artifact=reported.append)
    assert [path for path in reported if path.startswith("embeddings")] == [published.run.directory]


@pytest.mark.parametrize("part", ["encoder/model", "segment/vectors.npy", "run/shard"])
def test_one_flipped_bit_is_found_wherever_it_lies(published: Published, part: str) -> None:
    """The file is named."""
    path = published.path(part)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArtifactRefusedError, match=f"{path.name} is damaged"):
        verify(published.store)


@pytest.mark.parametrize("part", ["encoder/encoder.json", "segment/segment.json", "run/run.json"])
def test_a_changed_description_is_found(published: Published, part: str) -> None:
    """A description that is valid and not the one that was named breaks the chain: both digests are given."""
    path = published.path(part)
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(ArtifactRefusedError, match=r"has the digest \w{12}…, .* names \w{12}…; restore"):
        verify(published.store)


@pytest.mark.parametrize("part", ["encoder/model", "segment/vectors.npy", "segment/segment.json", "run/shard"])
def test_a_missing_file_is_an_input_error(published: Published, part: str) -> None:
    """Exit code 4, and the file is named with what mends it: damage and loss are told apart."""
    published.path(part).unlink()
    with pytest.raises(InputNotFoundError, match=rf"{published.path(part).name}.* is missing.*repair`$") as caught:
        verify(published.store)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("lost", ["directory", "run.json"])
def test_a_deleted_run_is_named_with_its_segment_and_what_it_means(published: Published, lost: str) -> None:
    """The run did finish, or no segment could have been built from it."""
    directory = published.path("run/run.json").parent
    shutil.rmtree(directory) if lost == "directory" else (directory / lost).unlink()
    message = (
        r"^run run-1, which segment one was built from, is missing: no embeddings/.*/run-1/run\.json in store .*; "
        r"lookups go on, but the segment cannot be built again: restore the run from a copy, or pass "
        r"it over: `firstseen repair`$"
    )
    with pytest.raises(InputNotFoundError, match=message) as caught:
        verify(published.store)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("file", ["1.json", "*.jpg"])
def test_a_damaged_list_of_ignored_photos_is_found(published: Published, file: str) -> None:
    """Every lookup refuses to work without it, so that a store with one is not whole."""
    add_ignored(published.store, name="logo.png", content_sha256=bytes(32), size=(8, 8), thumbnail=b"jpeg", why="")
    verify(published.store)
    (damaged,) = (published.store.local_root / "ignored").glob(file)
    damaged.write_bytes(b"{")
    with pytest.raises(ArtifactRefusedError, match=rf"ignored/{damaged.name}.*; restore it from a copy"):
        verify(published.store)


def test_a_run_that_was_written_anew_is_refused(published: Published) -> None:
    """The segment names the digest of the run that it was built from, and the message names the segment."""
    path = published.store.local_root / run_path(published.run.encoder_id, published.run.run_id)
    path.write_bytes(artifact.to_json(replace(published.run, archive="another")))
    with pytest.raises(ArtifactRefusedError, match=r"run run-1 has the digest .*, segment one names .*restore it"):
        verify(published.store)


@pytest.mark.parametrize("changes", [{"distance": "euclidean"}, {"dimension": 8}])
def test_a_segment_that_its_encoder_contradicts_is_refused(published: Published, changes: dict) -> None:
    """Every digest may be right, and the search would still be by the wrong measure."""
    store = published.store
    wrong = finish(store, replace(published.segment, segment_id="two", **changes))
    publish(store, replace(published.snapshot, number=2, segments=[wrong]))
    with pytest.raises(
        ArtifactRefusedError, match=r"segment two holds vectors of .* encoder m-\w+ gives 4 with cosine"
    ):
        verify(store)
    assert verify(store, 1)[0].number == 1


def test_a_changed_number_in_a_snapshot_is_found(published: Published) -> None:
    """The snapshot is the head of the chain: it is checked before what it names, also when it is not live."""
    store = published.store
    publish(store, replace(published.snapshot, number=2, parent=1))
    path = store.local_root / "snapshots" / "1.json"
    path.write_bytes(path.read_bytes().replace(b'"photos": 3', b'"photos": 4'))
    assert verify(store)[0] == read_snapshot(store, 2)
    with pytest.raises(ArtifactRefusedError, match=r"the content of snapshots/1\.json has the digest"):
        verify(store, 1)

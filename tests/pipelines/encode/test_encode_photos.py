"""Encoding as a transform of its own: chunk numbers in, rows and rejects out, inside any pipeline."""

from dataclasses import replace
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.testing.util import assert_that, equal_to

from foundation.archives.archive import open_archive
from foundation.encoder import SavedEncoder
from foundation.errors import ArtifactRefusedError, InputNotFoundError
from foundation.photos import photo
from foundation.store.files import Store
from pipelines.encode.encode_photos import EncodePhotos
from pipelines.encode.inventory import count_chunks, write_inventory
from pipelines.encode.plan import plan_run
from pipelines.runners.run import create_pipeline, run_to_end


@pytest.fixture
def listed(store: Path, archive: Path, saved_encoder: SavedEncoder):
    """A store with an inventory of ten photos and an empty file, and the run that it belongs to."""
    (archive / "empty.jpg").write_bytes(b"")
    opened, place = open_archive(str(archive)), Store(store)
    run = plan_run(opened, saved_encoder.spec, saved_encoder.digest, dtype="float32", features="none")
    write_inventory(place, run.inventory, opened, catalog=None, chunk_photos=4)
    return place, run


def test_rows_and_rejects_come_out(listed, archive: Path, saved_encoder: SavedEncoder) -> None:
    """The rows are those of photos that are encoded one by one; what cannot be used is there by name."""
    store, run = listed
    paths = sorted(archive.rglob("photo-*.jpg"))
    pixels = np.stack([photo.decode(path.read_bytes(), size=saved_encoder.spec.size).pixels for path in paths])
    pipeline = create_pipeline("local", beam_flags=[])
    chunks = pipeline | beam.Create(range(count_chunks(store, run.inventory)))
    encoded = chunks | EncodePhotos(store, run, saved_encoder.spec, batch_size=3, progress_directory=None)
    names = encoded.rows | beam.FlatMap(lambda table: table["photo_id"].to_pylist())
    assert_that(names, equal_to([str(path.relative_to(archive)) for path in paths]), label="names")
    close = encoded.rows | beam.FlatMap(
        are_close, dict(zip(map(str, paths), saved_encoder.encode(pixels), strict=True))
    )
    assert_that(close, equal_to([True] * 10), label="vectors")
    rejects = encoded.rejects | beam.Map(lambda reject: (reject.photo_id, reject.reason))
    assert_that(rejects, equal_to([("empty.jpg", "empty_file")]), label="rejects")
    run_to_end(pipeline)


def are_close(table, expected: dict[str, np.ndarray]) -> list[bool]:
    """Whether each row has the vector of the file that its uri names."""
    rows = zip(table["uri"].to_pylist(), table["embedding"].to_pylist(), strict=True)
    return [bool(np.allclose(vector, expected[uri.removeprefix("file://")], atol=1e-5)) for uri, vector in rows]


def test_an_inventory_that_is_gone_names_its_chunk(listed, saved_encoder: SavedEncoder) -> None:
    """The error keeps its type through the pipeline."""
    store, run = listed
    store.delete([run.inventory])
    pipeline = create_pipeline("local", beam_flags=[])
    transform = EncodePhotos(store, run, saved_encoder.spec, batch_size=3, progress_directory=None)
    _ = pipeline | beam.Create([1]) | transform
    with pytest.raises(InputNotFoundError, match=r"^chunk 1 of .*inventory\.parquet: cannot read"):
        run_to_end(pipeline)


def test_an_encoder_that_the_run_does_not_name_is_refused(listed, saved_encoder: SavedEncoder) -> None:
    """Before the first vector: two encoders in one run could never be told apart again."""
    store, run = listed
    pipeline = create_pipeline("local", beam_flags=[])
    other = replace(run, encoder_digest="0" * 64)
    transform = EncodePhotos(store, other, saved_encoder.spec, batch_size=3, progress_directory=None)
    _ = pipeline | beam.Create([0]) | transform
    with pytest.raises(ArtifactRefusedError, match="names 000000000000…"):
        run_to_end(pipeline)

"""Working files of arrays: what is read is what was written, and a damaged file is refused."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from foundation.errors import ArtifactRefusedError
from serving.batch.arrays import (
    from_blobs,
    from_table,
    from_text,
    read_arrays,
    to_blobs,
    to_table,
    to_text,
    write_arrays,
)

ARRAYS = {
    "bytes": np.arange(256, dtype=np.uint8),
    "small": np.arange(-4, 4, dtype=np.int16).reshape(2, 2, 2),
    "large": np.array([-(2**62), -1, 0, 1, 2**62]),
    "real": np.array([[0.1, np.nan, -np.inf], [-0.0, 1e-45, 3e38]], np.float32),
    "hashes": np.array([b"a\0b", b"", b"\xff" * 32], "S32"),
    "none": np.empty((0, 8), np.uint16),
    "number": np.array(7),
}


def test_arrays_are_read_bit_by_bit(tmp_path: Path):
    """Of every kind and shape, the empty one too."""
    write_arrays(tmp_path / "arrays", ARRAYS)
    found = read_arrays(tmp_path / "arrays")
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()


def test_texts_blobs_and_tables_are_arrays():
    """A name that is no UTF-8, bytes of every length, and a table without rows stay what they are."""
    value = {"names": ["a", "\udcff", "ä"]}
    assert from_text(to_text(value)) == value
    blobs = [b"", b"\0\0", b"x" * 1000]
    assert from_blobs(*to_blobs(blobs)) == blobs
    assert from_blobs(*to_blobs([])) == []
    table = pa.table({"a": pa.array([], pa.int64())})
    assert from_table(to_table(table)).equals(table)


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-9], lambda data: b"", lambda data: data[:40] + b"\0" * 40 + data[80:]]
)
def test_a_damaged_file_is_refused(tmp_path: Path, damage):
    """The error names the file, and says what to do."""
    path = tmp_path / "arrays"
    write_arrays(path, ARRAYS)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ArtifactRefusedError, match=r"arrays cannot be read: .*: remove it"):
        read_arrays(path)

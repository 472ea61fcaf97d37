"""Writes named arrays as one compressed Parquet file, and reads them back equal to the last bit."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from foundation.errors import ArtifactRefusedError

SCHEMA = pa.schema(
    [
        pa.field("name", pa.string()),
        pa.field("dtype", pa.string()),
        pa.field("shape", pa.list_(pa.int64())),
        pa.field("data", pa.large_binary()),
    ]
)


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes arrays of numbers or of fixed-width bytes under their names."""
    columns = {
        "name": list(arrays),
        "dtype": [array.dtype.str for array in arrays.values()],
        "shape": [list(array.shape) for array in arrays.values()],
        "data": [_shuffled(array) for array in arrays.values()],
    }
    parquet.write_table(
        pa.table(columns, SCHEMA), path, compression="zstd", use_dictionary=False, write_statistics=False
    )


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Returns the arrays by their names; raises ArtifactRefusedError for a damaged file."""
    try:
        table = parquet.read_table(path, schema=SCHEMA)
        rows = zip(*(table[name].to_pylist() for name in ("name", "dtype", "shape")), table["data"], strict=True)
        return {name: _unshuffled(data.as_buffer(), np.dtype(dtype), shape) for name, dtype, shape, data in rows}
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ArtifactRefusedError(
            f"{path} cannot be read: {reason}; expected what this lookup wrote: remove it, and look up again"
        ) from error


def _shuffled(array: np.ndarray) -> bytes:
    # The first bytes of all numbers lie beside each other, then the second ones …: they are alike, and compress better.
    if array.dtype.kind in "iuf" and array.size:
        return array.reshape(-1, 1).view(np.uint8).T.tobytes()
    return array.tobytes()


def _unshuffled(data: Any, dtype: np.dtype, shape: Sequence[int]) -> np.ndarray:
    if dtype.kind in "iuf" and len(data):
        parts = np.frombuffer(data, np.uint8).reshape(dtype.itemsize, -1)
        return np.ascontiguousarray(parts.T).view(dtype).reshape(shape)
    return np.frombuffer(data, dtype).reshape(shape)


def to_text(value: object) -> np.ndarray:
    """Returns what JSON can hold as an array, uint8."""
    return np.frombuffer(json.dumps(value).encode(), np.uint8)


def from_text(array: np.ndarray) -> Any:
    """Returns what `to_text` was given."""
    return json.loads(array.tobytes())


def to_blobs(blobs: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Returns some bytes one after the other, uint8, and the size of each, int64."""
    return np.frombuffer(b"".join(blobs), np.uint8), np.array([len(one) for one in blobs], np.int64)


def from_blobs(data: np.ndarray, sizes: np.ndarray) -> list[bytes]:
    """Returns what `to_blobs` was given."""
    return [part.tobytes() for part in split(data, sizes)]


def split(array: np.ndarray, sizes: np.ndarray) -> list[np.ndarray]:
    """Returns parts of an array, one after the other, of these sizes."""
    ends = np.cumsum(sizes)
    return [array[end - size : end] for end, size in zip(ends.tolist(), sizes.tolist(), strict=True)]


def joined(arrays: Sequence[np.ndarray], empty: np.ndarray) -> np.ndarray:
    """Returns arrays one after the other; without any, one like `empty`."""
    return np.concatenate([empty[:0], *arrays])


def to_table(table: pa.Table) -> np.ndarray:
    """Returns an Arrow table as an array, uint8."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return np.frombuffer(sink.getvalue(), np.uint8)


def from_table(array: np.ndarray) -> pa.Table:
    """Returns the table that `to_table` was given."""
    with pa.ipc.open_stream(pa.py_buffer(array)) as reader:
        return reader.read_all()

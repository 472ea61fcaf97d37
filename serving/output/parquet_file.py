"""Writes answers as Parquet, with the schema of the contract and every value as it is."""

from collections.abc import Iterable
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import parquet

from serving.answers import SCHEMA, Answer

# Each batch is a row group: fewer rows would make files of many small groups, which compress badly and read slowly.
BATCH_ROWS = 4_096


def write_parquet(answers: Iterable[list[Answer]], file: BinaryIO) -> None:
    """Writes the answers in row groups of 4,096, so that many queries never lie in memory together."""
    rows: list[dict[str, Any]] = []
    with parquet.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
        for one_query in answers:
            rows += [{name: getattr(answer, name) for name in SCHEMA.names} for answer in one_query]
            if len(rows) >= BATCH_ROWS:
                writer.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))
                rows = []
        writer.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))

"""Puts answers into Arrow record batches with the schema of the contract, every value as it is."""

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from serving.answers import SCHEMA, Answer

# Each batch is a row group in a Parquet file: fewer rows would make files of many small groups, which compress badly
# and read slowly.
BATCH_ROWS = 4_096


def record_batches(answers: Iterable[list[Answer]]) -> Iterator[pa.RecordBatch]:
    """Yields the answers in batches of 4,096 rows or little more, so that few of them lie in memory as objects."""
    rows: list[dict[str, Any]] = []
    for one_query in answers:
        rows += [{name: getattr(answer, name) for name in SCHEMA.names} for answer in one_query]
        if len(rows) >= BATCH_ROWS:
            yield pa.RecordBatch.from_pylist(rows, schema=SCHEMA)
            rows = []
    if rows:
        yield pa.RecordBatch.from_pylist(rows, schema=SCHEMA)


def table_of(answers: Iterable[list[Answer]]) -> pa.Table:
    """Returns one table of all answers."""
    return pa.Table.from_batches(record_batches(answers), schema=SCHEMA)

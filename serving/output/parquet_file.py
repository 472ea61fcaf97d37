"""Writes answers as Parquet, with the schema of the contract and every value as it is."""

from collections.abc import Iterable
from typing import BinaryIO

from pyarrow import parquet

from serving.answers import SCHEMA, Answer
from serving.output.arrow import record_batches


def write_parquet(answers: Iterable[list[Answer]], file: BinaryIO) -> None:
    """Writes the answers in row groups of 4,096, so that many queries never lie in memory together."""
    with parquet.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
        for batch in record_batches(answers):
            writer.write_batch(batch)

"""Estimates what a re-index will cost before anything is spent: a listing, compared, and a sample of it encoded."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import ClassVar

import duckdb
from pydantic import TypeAdapter, ValidationError

from foundation.checks import require_range
from foundation.encoder import load
from foundation.errors import InputNotFoundError, UsageError
from foundation.photos.shared_decoders import shared_decoders
from foundation.store import artifact
from foundation.store.content_hashes import local_hashes
from foundation.store.encoders import list_encoders
from foundation.store.files import Store, local_root
from foundation.store.run_tables import shard_schema
from foundation.store.shipped import SHIPPED, shipped_encoder
from pipelines.encode.compare import Comparison
from pipelines.encode.database import rows_of
from pipelines.encode.decode_content import DecodeSettings
from pipelines.encode.decode_photos import DecodedPhoto, Reject, decode_rows
from pipelines.encode.embed_photos import embed_photos
from pipelines.encode.held import indexed_contents
from pipelines.encode.job import Prepared, compared, prepare
from pipelines.encode.listeners import ignore
from pipelines.encode.plan import EncodeOptions
from pipelines.encode.write_shards import to_parquet

SAMPLE = 64
# A segment takes 1.4 times the bytes of its shards (measured with local features): what is searched lies uncompressed.
SEGMENT_SHARE = 1.4


@dataclass(frozen=True, kw_only=True)
class Prices:
    """What things cost, in one currency: infra/prices.json is an example to copy and to fill in."""

    __pydantic_config__: ClassVar = artifact.STRICT

    currency: str
    worker_hour: float
    storage_gigabyte_month: float
    read_gigabyte: float
    requests_million: float


@dataclass(frozen=True)
class Sampled:
    """What encoding some photos took: how many were read, seconds, and bytes."""

    read: int
    seconds: float
    bytes_read: int
    bytes_written: int


@dataclass(frozen=True)
class Estimate:
    """What a re-index will do, by photos, and what it will take; None where there is nothing to measure with."""

    comparison: Comparison
    photos_per_second: float | None
    seconds: float | None
    bytes_read: int
    bytes_stored: int
    cost: dict[str, float]
    currency: str = ""


def read_prices(path: Path) -> Prices:
    """Returns the prices of a file; raises InputNotFoundError without one, UsageError if it is not as expected."""
    try:
        return TypeAdapter(Prices).validate_json(path.read_bytes())
    except OSError as error:
        raise InputNotFoundError(f"prices {path} cannot be read: {error.strerror}; copy infra/prices.json") from error
    except ValidationError as error:
        names = ", ".join(field.name for field in fields(Prices))
        problem = artifact.validation_problem(error, f"prices {path}")
        raise UsageError(f"{problem}; expected a JSON object with {names}") from error


@contextmanager
def dry(options: EncodeOptions) -> Iterator[EncodeOptions]:
    """Yields options that write nothing into the store: another one takes its place where it has no such encoder yet.

    Nothing of the archive is known then, whichever store it is.
    """
    root = local_root(options.store)
    store = Store(options.store) if root is None or root.exists() else None
    known = list_encoders(store) if store else []
    ships = options.encoder in (SHIPPED, shipped_encoder()) and shipped_encoder() not in known
    if known and not ships:
        yield options
        return
    with tempfile.TemporaryDirectory(prefix="firstseen-") as folder:
        yield replace(options, store=folder)


def estimate(
    options: EncodeOptions,
    *,
    prices: Prices | None = None,
    machines: int = 1,
    on_listed: Callable[[int], None] = ignore,
) -> Estimate:
    """Returns what a re-index with these options will do and take, on so many machines like this one.

    The archive is listed, and a sample of what is new is read and encoded; nothing is written. Raises what encoding
    does.
    """
    require_range("machines", machines, 1)
    with dry(options) as planned:
        prepared = prepare(planned)
        with compared(prepared, on_listed=on_listed) as found:
            comparison = found.look()
            size_bytes = _listed_bytes(found.database)
            sampled = _encode_sample(prepared, found.database) if comparison.read else None
    if sampled is None or not sampled.seconds:
        return Estimate(comparison, None, None, 0, 0, {})
    rate = sampled.read / sampled.seconds
    seconds = comparison.read / rate / machines
    # An archive of tables or records does not say how large its photos are.
    bytes_read = size_bytes or round(sampled.bytes_read / sampled.read * comparison.read)
    stored = round(sampled.bytes_written / sampled.read * comparison.read * (1 + SEGMENT_SHARE))
    if prices is None:
        return Estimate(comparison, rate, seconds, bytes_read, stored, {})
    cost = {
        "for machines": seconds * machines / 3_600 * prices.worker_hour,
        "for reading": bytes_read / 1e9 * prices.read_gigabyte + comparison.read / 1e6 * prices.requests_million,
        "for storage, each month": stored / 1e9 * prices.storage_gigabyte_month,
    }
    return Estimate(comparison, rate, seconds, bytes_read, stored, cost, prices.currency)


def _listed_bytes(database: duckdb.DuckDBPyConnection) -> int:
    query = "SELECT CASE WHEN bool_and(size_bytes >= 0) THEN sum(size_bytes) END FROM compared WHERE fate = 'read'"
    ((found,),) = rows_of(database, query)
    return int(found or 0)


def _encode_sample(prepared: Prepared, database: duckdb.DuckDBPyConnection) -> Sampled:
    """Reads and encodes some of the photos that are to be read, as the job would, and writes them into memory."""
    # The same photos at each time.
    query = f"FROM (FROM compared WHERE fate = 'read') USING SAMPLE reservoir({SAMPLE} ROWS) REPEATABLE (0)"
    rows = database.sql(f"FROM ({query}) ORDER BY position").to_arrow_table().to_pylist()
    run, store = prepared.run, prepared.store
    schema = shard_schema(
        run.dimension, run.dtype, encoder_digest=run.encoder_digest, run_id=run.run_id, features=run.features
    )
    encoder = load(store, run.encoder_id, expected_digest=run.encoder_digest, batch_size=SAMPLE)
    with (
        local_hashes(store, indexed_contents(store, prepared.live, run.features)) as known,
        shared_decoders() as decoders,
    ):
        settings = DecodeSettings(
            prepared.spec.size, prepared.spec.channels, run.features == "local", known=tuple(known)
        )
        decode = partial(decode_rows, settings=settings, decoders=decoders, ahead=SAMPLE)
        # The first photos wait for the decoder processes to start, which a long job does once.
        list(decode(rows[: 2 * (os.cpu_count() or 1)]))
        started = time.perf_counter()
        results = list(decode(rows))
        photos = [one for one in results if isinstance(one, DecodedPhoto)]
        table = embed_photos(encoder, photos, schema)[0] if photos else None
        seconds = time.perf_counter() - started
    return Sampled(
        read=len(rows),
        seconds=seconds,
        bytes_read=sum(one.size_bytes for one in results if not isinstance(one, Reject)),
        bytes_written=len(to_parquet(table)) if table else 0,
    )


def describe(found: Estimate) -> list[str]:
    """Returns an estimate as lines for a person."""
    plan = found.comparison
    lines = [
        f"listed     {plan.listed:,} photos: {plan.read:,} to read, {plan.unchanged:,} unchanged "
        f"({plan.updated:,} with other dates or words), {plan.retracted:,} withdrawn since",
        f"removed    {plan.removed:,} of the {plan.known:,} that were there",
    ]
    if plan.done:
        lines.append(f"done       {plan.done:,} by a run that was cut off, and is gone on with")
    if found.photos_per_second:
        lines += [
            f"speed      {found.photos_per_second:,.0f} photos a second on one machine, measured on a sample",
            f"time       {timedelta(seconds=round(found.seconds or 0))} to encode them",
            f"read       {_size(found.bytes_read)}",
            f"stored     {_size(found.bytes_stored)} more, shards and segments",
        ]
    for name, cost in found.cost.items():
        lines.append(f"cost       {cost:,.2f} {found.currency} {name}")
    return lines


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:,.2f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:,.1f} MB"

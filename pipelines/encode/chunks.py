"""Encodes a chunk of photos whole and writes down that it is done: a job that is killed goes on with the next one.

An element of the pipeline is the number of a chunk, and that number is all that leaves the step: no photo, no pixel and
no vector crosses a shuffle.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.metrics import Metrics
from pyarrow import parquet

from foundation.memory import release_freed
from foundation.photos.shared_decoders import shared_decoders
from foundation.store.content_hashes import local_hashes
from foundation.store.encoders import EncoderSpec
from foundation.store.files import Store
from foundation.store.run_tables import shard_schema
from foundation.store.runs import Run
from pipelines.encode.decode_content import DecodeSettings
from pipelines.encode.decode_photos import Decoded, DecodedPhoto, Reject, batches_of, decode_rows
from pipelines.encode.embed_photos import embed_photos, shared_encoder
from pipelines.encode.embedded_here import EmbeddedHere
from pipelines.encode.outcomes import Outcome, outcomes_directory, read_finished_chunk, write_outcomes
from pipelines.encode.work import Work
from pipelines.encode.write_shards import write_shard
from pipelines.runners.failures import naming
from pipelines.runners.progress import ProgressWriter
from pipelines.runners.reported import ErrorReport


def outcomes_path(run: Run, work: Work, chunk: int) -> str:
    """Returns where it is written down that a chunk is done, and what became of its photos."""
    return f"{outcomes_directory(run.directory)}/{work.attempt}-{chunk:08d}.parquet"


def read_chunk(store: Store, path: str, chunk: int) -> list[dict[str, Any]]:
    """Returns the rows of one chunk as dicts of the work's columns; reads the footer and that row group alone."""
    with store.open(path) as file:
        return parquet.ParquetFile(file).read_row_group(chunk).to_pylist()


class EncodeChunk(beam.DoFn):
    """Number of a chunk of the work → the same number, once the chunk's shard and its outcomes are in the store.

    A worker holds one chunk's rows (20 KB a photo with local features) and two batches of small squares; a decoder
    process holds one full-size photo. `progress_directory` is one that the launcher shares, if any.
    """

    def __init__(
        self,
        store: Store,
        run: Run,
        spec: EncoderSpec,
        work: Work,
        *,
        batch_size: int,
        progress_directory: str | None,
    ):
        self._store = store
        self._report = ErrorReport.beside(store, work.path)
        self._run = run
        self._spec = spec
        self._work = work
        self._batch_size = batch_size
        self._progress_directory = progress_directory
        self._bytes_read = Metrics.counter("firstseen", "bytes_read")
        self._counters = {
            name: Metrics.counter("firstseen", f"photos_{name}") for name in ("embedded", "known", "rejected")
        }
        self._bytes_written = Metrics.counter("firstseen", "bytes_written")

    def setup(self) -> None:
        """Takes its share of the decoder processes; they start, and the encoder is loaded, for the first photo."""
        # Processes and open files cannot be pickled: what a worker needs of them is made here, once per instance.
        self._open = ExitStack()
        self._embedded_here = EmbeddedHere()
        self._decoders = self._open.enter_context(shared_decoders())
        self._sees_work = False
        with self._report.reporting():
            self._sees_work = self._report.sees_work()
            if not self._sees_work:
                return
            known, withdrawn = (
                tuple(self._open.enter_context(local_hashes(self._store, paths)))
                for paths in (self._work.known, self._work.withdrawn)
            )
            self._settings = DecodeSettings(
                self._spec.size, self._spec.channels, self._run.features == "local", known=known, withdrawn=withdrawn
            )

    def process(self, chunk: int) -> Iterator[int]:
        """Encodes the chunk unless that was done before, or the job has failed; an error says which chunk it struck.

        A worker that does not see the store passes over it: the launcher finds that it was not done.
        """
        with self._report.reporting(), naming(f"chunk {chunk} of {self._work.path}"):
            path = outcomes_path(self._run, self._work, chunk)
            # A runner may do an element twice, and the one that comes to its end first counts.
            if self._sees_work and not self._report.is_there() and not self._store.exists(path):
                self._encode(chunk, path)
                # Allocators would keep the memory of a chunk in pieces, and take more of it for every other one.
                release_freed()
        yield chunk

    def teardown(self) -> None:
        """Ends the decoder processes without waiting for photos nobody will use."""
        self._open.close()

    def _encode(self, chunk: int, path: str) -> None:
        rows = read_chunk(self._store, self._work.path, chunk)
        schema = shard_schema(
            self._run.dimension,
            self._run.dtype,
            encoder_digest=self._run.encoder_digest,
            run_id=self._run.run_id,
            features=self._run.features,
        )
        # Two batches in the hands of the decoders let them work on one while the model has the other.
        results = decode_rows(rows, self._settings, decoders=self._decoders, ahead=2 * self._batch_size)
        tables: list[pa.Table] = []
        outcomes: list[Outcome] = []
        embedding = self._embedded_here.begin(chunk)
        with ProgressWriter(self._progress_directory, chunk) as progress:
            for batch in batches_of(results, self._batch_size):
                wanted = embedding.wanted(batch)
                table, unusable = self._embed(chunk, wanted, schema)
                if table is not None:
                    tables.append(table)
                settled = embedding.settle(batch, wanted, unusable)
                outcomes += settled
                self._count(batch, settled, progress)
        self._write(path, rows, outcomes, tables)

    def _embed(self, chunk: int, photos: list[DecodedPhoto], schema: pa.Schema) -> tuple[pa.Table | None, set[bytes]]:
        """Returns the shard rows of some photos, and the contents that the encoder gave no usable vector."""
        if not photos:
            return None, set()
        run = self._run
        with naming(f"chunk {chunk}, {len(photos)} photos from {photos[0].columns['photo_id']!r}"):
            encoder = shared_encoder(self._store, run.encoder_id, run.encoder_digest, self._batch_size)
            return embed_photos(encoder, photos, schema)

    def _count(self, batch: Sequence[Decoded], outcomes: Sequence[Outcome], progress: ProgressWriter) -> None:
        # Counted per batch, not per photo: a counter takes a lock, and progress a write.
        rejected = sum(one.reason is not None for one in outcomes)
        embedded = sum(one.is_embedded for one in outcomes)
        self._bytes_read.inc(sum(one.size_bytes for one in batch if not isinstance(one, Reject)))
        self._counters["embedded"].inc(embedded)
        self._counters["rejected"].inc(rejected)
        self._counters["known"].inc(len(outcomes) - embedded - rejected)
        progress.add(usable=len(outcomes) - rejected, rejected=rejected)

    def _write(self, path: str, rows: list[dict[str, Any]], outcomes: list[Outcome], tables: list[pa.Table]) -> None:
        shard = None
        if tables:
            shard = write_shard(self._store, self._run.directory, pa.concat_tables(tables))
            self._bytes_written.inc(shard.record.size_bytes)
        written = write_outcomes(self._store, path, rows, outcomes, shard)
        # Another attempt at this chunk may have been faster, and then its shard counts; or a bucket's answer was lost,
        # and the outcomes that are there already are these.
        if not written and shard and read_finished_chunk(self._store, path).shard != shard:
            self._store.delete([f"{self._run.directory}/{shard.name}"])

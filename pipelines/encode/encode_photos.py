"""Encodes the chunks of an inventory: chunk numbers in, tables of shard rows and rejects out."""

from typing import NamedTuple

import apache_beam as beam
from apache_beam.typehints.decorators import no_annotations

from foundation.store.encoders import EncoderSpec
from foundation.store.files import Store
from foundation.store.runs import Run, shard_schema
from pipelines.encode.decode_photos import REJECTS, DecodeChunk
from pipelines.encode.embed_photos import EmbedBatch


class EncodedPhotos(NamedTuple):
    """What encoding gives: Arrow tables of shard rows, and one Reject for each photo that cannot be used."""

    rows: beam.PCollection
    rejects: beam.PCollection


class EncodePhotos(beam.PTransform):
    """Chunk numbers of a run's inventory → EncodedPhotos; the photos' pixels never leave the worker.

    The inventory must be in the store, and `spec` the description of the encoder that `run` names.
    """

    def __init__(self, store: Store, run: Run, spec: EncoderSpec, *, batch_size: int, progress_directory: str | None):
        super().__init__()
        schema = shard_schema(
            run.dimension,
            run.dtype,
            encoder_digest=run.encoder_digest,
            run_id=run.run_id,
            features=run.features,
        )
        self._decode = DecodeChunk(
            store,
            run.inventory,
            size=spec.size,
            channels=spec.channels,
            features=run.features,
            batch_size=batch_size,
            progress_directory=progress_directory,
        )
        self._embed = EmbedBatch(
            store,
            run.encoder_id,
            run.encoder_digest,
            schema,
            batch_size=batch_size,
            progress_directory=progress_directory,
        )

    @no_annotations  # Beam knows no named tuple of collections, and would warn that it passes the hint over.
    def expand(self, chunks: beam.PCollection) -> EncodedPhotos:
        """Spreads the chunks over the workers, and keeps each chunk on one of them until it is a table."""
        # The numbers come from one Create, which a runner fuses with all that follows: without this shuffle one worker
        # would encode the whole archive. Behind it there is none, so that decode and model are fused and pixels stay in
        # memory; and Flink spreads the work at the first Reshuffle only.
        decoded = (
            chunks
            | "SpreadChunks" >> beam.Reshuffle()
            | "DecodeChunk" >> beam.ParDo(self._decode).with_outputs(REJECTS, main="photos")
        )
        embedded = decoded.photos | "EmbedBatch" >> beam.ParDo(self._embed).with_outputs(REJECTS, main="rows")
        rejects = (decoded[REJECTS], embedded[REJECTS]) | "AllRejects" >> beam.Flatten()
        return EncodedPhotos(embedded.rows, rejects)

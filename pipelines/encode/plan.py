"""Plans an encode run: its options, checked, and the description of a run that has not begun."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from foundation.archives.archive import Archive
from foundation.checks import require_choice, require_range
from foundation.errors import UsageError
from foundation.photos.local_features import FEATURE_RULE
from foundation.photos.photo import DECODE_RULE
from foundation.store import artifact
from foundation.store.encoders import EncoderSpec
from foundation.store.files import local_root
from foundation.store.runs import Accounting, Dtype, Features, Run
from pipelines.encode.compare import Check
from pipelines.encode.previous import Previous
from pipelines.runners.dataflow import require_accelerator, require_shared
from pipelines.runners.names import LOCAL

# One chunk is one element of the pipeline and one shard: 10 MB with local features, and what a killed job does again.
# A larger batch makes larger ones.
CHUNK_PHOTOS = 512
# Of a small archive chunks are smaller, so that each worker has some: the last one to end keeps the others waiting for
# its last chunk.
CHUNKS_PER_WORKER = 4


@dataclass(frozen=True, kw_only=True)
class EncodeOptions:
    """What to encode, with what, and where to run it.

    `archive` is what `foundation.archives.archive.open_archive` opens. With the check `stat` only those photos are read
    whose place, size, time, etag or sidecar is another than in the last run, that could not be read or were taken back
    since, or whose vector nothing holds any more; with `hash` all. `allow_shrink` takes most of the archive
    for removed if it is not listed any more; the rejects of the run `retry_rejects` are read again. With `read_again`
    these photos are read, where the last run listed them, and nothing else of the archive is looked at; with
    `remove_archive` nothing of it is, and all of its photos are taken for removed. Dataflow gives the step that embeds
    the `accelerator`, a type of GPU, and no other step.

    A worker holds two batches of small squares, one full-size photo per core while it is decoded, and the rows of the
    chunk that it encodes: 20 KB a photo.
    """

    archive: str
    store: str
    encoder: str | None = None
    catalog: Path | None = None
    data_dir: Path | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    runner: str = LOCAL
    # One worker decodes on all cores: more of them pay only where the model leaves cores idle.
    workers: int = 1
    dtype: Dtype = "float32"
    features: Features = "local"
    batch_size: int = 64
    # None makes them fit the photos and the workers.
    chunk_photos: int | None = None
    check: Check = "stat"
    allow_shrink: bool = False
    retry_rejects: str | None = None
    read_again: tuple[str, ...] = ()
    remove_archive: bool = False
    accelerator: str | None = None
    beam_flags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Raises UsageError on a value out of range, naming both."""
        require_range("workers", self.workers, 1)
        require_range("batch_size", self.batch_size, 1, 4_096, remedy="memory grows with it")
        if self.chunk_photos is not None:
            require_range("chunk_photos", self.chunk_photos, 1)
        if self.remove_archive and (self.catalog or self.include or self.exclude or self.retry_rejects):
            raise UsageError(
                "--remove-archive takes out all of an archive; expected it without --catalog, --include, --exclude and "
                "--retry-rejects"
            )
        require_accelerator(self.runner, self.accelerator)
        require_shared(self.runner, self.beam_flags, self.archive, self.store)
        require_choice("check", self.check, get_args(Check))
        require_choice("dtype", self.dtype, get_args(Dtype))
        require_choice("features", self.features, get_args(Features))


def require_apart(archive: Archive, store: str) -> None:
    """Raises UsageError if the store lies in the archive: its own files would be listed as photos."""
    # Links are resolved on both sides: a store may be reached through one.
    root = local_root(store)
    if root is None and f"{store.rstrip('/')}/".startswith(f"{archive.uri.rstrip('/')}/"):
        raise UsageError(f"store {store} lies in the archive {archive.uri}; expected another prefix, outside of it")
    if archive.folder and root and root.resolve().is_relative_to(archive.folder.resolve()):
        raise UsageError(f"store {store} lies in the archive {archive.folder}; expected it elsewhere: move it")


def chunk_size(photos: int, options: EncodeOptions, *, workers: int) -> int:
    """Returns how many photos a chunk has, at most: whole batches, and enough chunks for all workers."""
    if options.chunk_photos is not None:
        return options.chunk_photos
    # The encoder computes whole batches: what a chunk lacks of its last one is computed for nothing.
    most = max(1, CHUNK_PHOTOS // options.batch_size)
    if workers > 1:
        most = min(most, max(1, -(-photos // (CHUNKS_PER_WORKER * workers * options.batch_size))))
    return most * options.batch_size


def plan_run(
    archive: Archive, spec: EncoderSpec, digest: str, previous: Previous, *, dtype: Dtype, features: Features
) -> Run:
    """Returns the description of a run that has not begun: nothing is listed, and no file is written."""
    return Run(
        run_id=artifact.fresh_name(),
        archive=archive.uri,
        created_at=artifact.now(),
        encoder_id=spec.encoder_id,
        encoder_digest=digest,
        decode_rule=DECODE_RULE,
        dimension=spec.dimension,
        distance=spec.distance,
        dtype=dtype,
        features=features,
        feature_rule=FEATURE_RULE if features == "local" else None,
        generation=previous.generation + 1,
        previous=previous.run_id,
        changes=0,
        accounting=Accounting(listed=0, embedded=0, duplicates=0),
        rows={},
        files={},
        # Those that decide what the bytes of a run are: what decodes, and what writes.
        versions=artifact.versions_of("apache-beam", "pyarrow", "pillow", "simplejpeg", "opencv-python-headless"),
    )

"""Finishes an encode run: shards and rejects written, duplicates merged, and run.json last."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import apache_beam as beam
from apache_beam.typehints.decorators import no_annotations

from foundation.store import artifact
from foundation.store.files import Store
from foundation.store.runs import INVENTORY, RUN_DESCRIPTION, Accounting, Run
from pipelines.encode.duplicates import merge_duplicates
from pipelines.encode.encode_photos import EncodedPhotos
from pipelines.encode.write_shards import ROWS_BY_CONTENT, RewriteShard, WriteRejects, WriteShards, WrittenFile


class WriteRun(beam.PTransform):
    """EncodedPhotos → the finished run in the store; only hashes, photo_ids and file names are shuffled.

    `run` is the planned one, whose accounting says how many photos were listed: all of them must arrive.
    """

    def __init__(self, store: Store, run: Run, *, rows_per_shard: int):
        super().__init__()
        self._store = store
        self._run = run
        self._rows_per_shard = rows_per_shard

    @no_annotations  # Beam knows no named tuple of collections, and would warn that it passes the hint over.
    def expand(self, encoded: EncodedPhotos) -> beam.PCollection:
        """Writes, merges, and describes exactly the files that count; gives one None, once run.json stands."""
        # Shards come first and duplicates are merged in what was written: see `pipelines.encode.duplicates`.
        store, directory = self._store, self._run.directory
        write = WriteShards(store, directory, rows_per_shard=self._rows_per_shard)
        written = encoded.rows | "WriteShards" >> beam.ParDo(write).with_outputs(ROWS_BY_CONTENT, main="shards")
        rejects = encoded.rejects | "WriteRejects" >> beam.ParDo(WriteRejects(store, directory))
        rewritten = (
            written[ROWS_BY_CONTENT]
            | "GroupByContent" >> beam.GroupByKey()
            | "MergeDuplicates" >> beam.FlatMapTuple(lambda _, rows: merge_duplicates(rows))
            | "GroupByShard" >> beam.GroupByKey()
            | "RewriteShard" >> beam.ParDo(RewriteShard(store, directory))
        )
        # Side inputs are complete before the step begins, and Create makes one element: run.json is written once, by
        # one worker, after every file. Names and digests are small enough to be held there: some 300 bytes a file.
        return (
            encoded.rows.pipeline
            | "Finish" >> beam.Create([self._run])
            | "WriteRunDescription"
            >> beam.Map(
                finish_run,
                beam.pvalue.AsIter(written.shards),
                beam.pvalue.AsIter(rewritten),
                beam.pvalue.AsIter(rejects),
                store=store,
            )
        )


def finish_run(
    run: Run,
    written: Iterable[WrittenFile],
    rewritten: Iterable[tuple[str, WrittenFile | None]],
    rejects: Iterable[WrittenFile],
    *,
    store: Store,
) -> None:
    """Writes run.json from exactly the files that count; a retry writes the same bytes.

    Raises FirstseenError if a photo is unaccounted for. Shards whose rows were merged are deleted afterwards. What a
    failed bundle has left in the directory is not listed, and thereby not part of the run.
    """
    written, rejects, replaced = list(written), list(rejects), dict(rewritten)
    shards = [shard for shard in written if shard.name not in replaced]
    shards += [shard for shard in replaced.values() if shard]
    accounting = account(run, written, shards, rejects)
    listing = artifact.record(store, run.directory, [INVENTORY])
    files = listing | {file.name: file.record for file in [*shards, *rejects]}
    rows = {shard.name: shard.rows for shard in shards}
    description = replace(run, accounting=accounting, rows=rows, files=files)
    artifact.finish(store, f"{run.directory}/{RUN_DESCRIPTION}", description)
    # Only now: until run.json stands, a retry of the steps before it may have to read them again.
    store.delete([f"{run.directory}/{name}" for name in replaced])


def account(
    run: Run, written: Iterable[WrittenFile], shards: Iterable[WrittenFile], rejects: Iterable[WrittenFile]
) -> Accounting:
    """Returns what became of every listed photo; raises FirstseenError if the sum does not hold.

    `written` are the shards before exact duplicates were merged, `shards` those that count.
    """
    # What merging dropped are the duplicates: counted as a difference of rows, nothing can be counted twice.
    embedded = sum(shard.rows for shard in shards)
    reasons = sum((Counter(file.reasons) for file in rejects), Counter())
    accounting = Accounting(
        listed=run.accounting.listed,
        embedded=embedded,
        duplicates=sum(shard.rows for shard in written) - embedded,
        rejected=dict(sorted(reasons.items())),
    )
    accounting.check()
    return accounting

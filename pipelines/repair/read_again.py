"""Reads photos again whose contents nothing holds any more, and indexes them."""

from collections.abc import Sequence
from itertools import groupby

from pyarrow import parquet

from foundation.store.files import Store
from foundation.store.runs import Features, Run
from pipelines.encode.job import encode
from pipelines.encode.plan import EncodeOptions
from pipelines.index.job import build_index
from pipelines.index.plan import IndexOptions
from pipelines.repair.differences import Missing


def read_lost(store: Store, lost: Sequence[Missing], options: IndexOptions, *, features: Features) -> list[Missing]:
    """Reads these photos, sorted by archive, where the last run found them; returns those that could not be read.

    Nothing else of their archives is looked at. A photo that cannot be read today is read again by the next encode.
    """
    left = []
    for archive, group in groupby(lost, key=lambda one: one.archive):
        photos = list(group)
        names = tuple(one.photo_id for one in photos)
        run = encode(EncodeOptions(archive=archive, store=store.uri, features=features, read_again=names)).run
        rejected = _rejected(store, run)
        left += [one for one in photos if one.photo_id in rejected]
    build_index(store, options=options)
    return left


def _rejected(store: Store, run: Run) -> set[str]:
    with store.open(run.inventory) as file:
        table = parquet.read_table(file, columns=["photo_id", "reason"])
    return {row["photo_id"] for row in table.to_pylist() if row["reason"] is not None}

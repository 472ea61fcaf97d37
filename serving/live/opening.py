"""Opens a snapshot so that it can answer at once: every file checked, its encoder warm, some of its photos found."""

from collections.abc import Iterable
from contextlib import ExitStack

import numpy as np

from foundation.encoder import SavedEncoder, load
from foundation.store.files import Store
from foundation.store.snapshots import Snapshot
from serving.live.canaries import check_canaries
from serving.live.loaded import Loaded
from serving.live.options import LiveOptions
from serving.search.snapshot import OpenSnapshot


def open_loaded(
    store: Store, number: int | None, options: LiveOptions, *, beside: Iterable[Loaded] = (), is_pinned: bool = False
) -> Loaded:
    """Opens the live snapshot, or the numbered one; `beside` are those that are open, whose encoder it may share.

    Raises InputNotFoundError without a snapshot, ArtifactRefusedError if anything of it is damaged, of another version,
    or does not find its own photos.
    """
    with ExitStack() as stack:
        opened = stack.enter_context(OpenSnapshot(store, number))
        encoder = _encoder(store, opened.snapshot, options.batch_size, beside)
        # Otherwise the trees are loaded once some queries have come, and that one would wait for all of them.
        opened.load_trees()
        # The same photos each time: whether a snapshot is refused is no matter of chance.
        check_canaries(opened, options.canaries, np.random.default_rng(opened.snapshot.number))
        stack.pop_all()
    return Loaded(opened, encoder, is_pinned=is_pinned)


def _encoder(store: Store, snapshot: Snapshot, batch_size: int, beside: Iterable[Loaded]) -> SavedEncoder:
    for one in beside:
        if one.encoder.digest == snapshot.encoder_digest:
            return one.encoder
    # The digest is the snapshot's: an encoder replaced under its name is a stranger's program, and is not run.
    encoder = load(store, snapshot.encoder_id, expected_digest=snapshot.encoder_digest, batch_size=batch_size)
    _warm(encoder)
    return encoder


def _warm(encoder: SavedEncoder) -> None:
    """Computes a batch of each size that is ever computed: a GPU compiles a program for each, some seconds a time."""
    size = 1
    while True:
        encoder.encode(np.zeros((size, *encoder.spec.photo_shape), np.uint8))
        if size == encoder.batch_size:
            return
        size = min(2 * size, encoder.batch_size)

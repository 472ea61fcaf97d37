"""Chooses the encoder of a job: the one asked for, else the live snapshot's, else the only one there is."""

from foundation.errors import InputNotFoundError, UsageError
from foundation.store.encoders import EncoderSpec, list_encoders, read_spec
from foundation.store.files import Store
from foundation.store.runs import list_encoders_with_runs
from foundation.store.snapshots import Snapshot, read_encoder


def choose_encoder(
    store: Store, encoder_id: str | None, live: Snapshot | None, *, with_runs: bool = False
) -> tuple[EncoderSpec, str]:
    """Returns (spec, digest) of the encoder asked for, else of the live snapshot's, else of the only one there is.

    `live` is the snapshot that answers now. Without one, `with_runs` counts only the encoders that have embeddings: an
    index can be built of no other. Raises InputNotFoundError if there is none or not the one asked for, UsageError
    naming all if there are several, ArtifactRefusedError if the encoder is not the one that the live snapshot names.
    """
    # The live snapshot's encoder comes first, since vectors of another one cannot be added to its segments.
    if live and encoder_id in (None, live.encoder_id):
        return read_encoder(store, live), live.encoder_digest
    return read_spec(store, _only_encoder(store, with_runs) if encoder_id is None else encoder_id)


def _only_encoder(store: Store, with_runs: bool) -> str:
    known = list_encoders_with_runs(store) if with_runs else list_encoders(store)
    if not known:
        missing = "embeddings" if with_runs else "encoder"
        raise InputNotFoundError(f"store {store.uri} holds no {missing}; `firstseen encode` makes some")
    if len(known) > 1:
        holds = "embeddings of " if with_runs else ""
        raise UsageError(
            f"store {store.uri} holds {holds}{len(known)} encoders, and no snapshot is live that names one; "
            f"choose one with --encoder: {', '.join(known)}"
        )
    return known[0]

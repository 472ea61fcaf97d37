"""Checks that every byte that a snapshot stands on is still the one that was written."""

from collections.abc import Callable
from typing import NoReturn

from foundation.store.diagnosis import Damage, Inspection, tell_nobody
from foundation.store.files import Store
from foundation.store.ignored import read_ignored, read_thumbnail, standing
from foundation.store.snapshots import Snapshot, read_contents, read_snapshot


def verify(
    store: Store, number: int | None = None, *, on_artifact: Callable[[str], None] = tell_nobody
) -> tuple[Snapshot, int]:
    """Checks the digest of every file that a snapshot lists; returns (snapshot, bytes read).

    The chain: the snapshot names its encoder, its segments and the last run of each archive, a segment its runs, each
    of them its files. Lookups read the lists of retracted and ignored photos too, so these are checked. Raises
    ArtifactRefusedError at the first that differs, InputNotFoundError at the first that is missing.
    """
    snapshot = read_snapshot(store, number)
    # Descriptions are read twice, so that what is wrong with one is told before many bytes are read.
    read_contents(store, snapshot)
    inspection = Inspection(store, on_damage=_refuse, on_artifact=on_artifact)
    inspection.look_at_snapshot(snapshot)
    for ignored_number, photo in standing(read_ignored(store)).items():
        read_thumbnail(store, ignored_number, photo)
    return snapshot, inspection.checked_bytes


def _refuse(damage: Damage) -> NoReturn:
    raise damage.problem

"""Looks after a store: status, verify, rollback."""

from typing import Annotated

import typer

from firstseen.commands.options import SnapshotOption, StoreOption
from firstseen.commands.streams import tell
from foundation.wording import number_of


def status(
    store: StoreOption,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what the store holds and what is live."""
    from foundation.store.artifact import canonical_json
    from foundation.store.files import Store
    from foundation.store.status import read_status
    from foundation.store.status_lines import describe, to_object

    found = read_status(Store(store))
    typer.echo(canonical_json(to_object(found)).decode().rstrip() if as_json else "\n".join(describe(found)))


def verify(store: StoreOption, snapshot: SnapshotOption = None) -> None:
    """Check the digest of every file that a snapshot lists."""
    from foundation.store.files import Store
    from foundation.store.verify import verify as verify_store

    def show(path: str) -> None:
        tell(f"checking {path}", path=path)

    checked, size_bytes = verify_store(Store(store), snapshot, on_artifact=show)
    typer.echo(f"snapshot {checked.number} is whole: {size_bytes:,} bytes checked")


def rollback(
    store: StoreOption,
    to: Annotated[int | None, typer.Option(help="Snapshot to return to; default: that before the last index.")] = None,
) -> None:
    """Make an earlier snapshot live again, as a new snapshot."""
    from foundation.store.files import Store
    from foundation.store.rollback import roll_back

    snapshot = roll_back(Store(store), to)
    photos = number_of(snapshot.photos, "photo", "photos")
    typer.echo(f"snapshot {snapshot.number} is live: {snapshot.reason}, {photos}")
    if snapshot.left_out:
        tell(f"it leaves out {number_of(len(snapshot.left_out), 'run', 'runs')}: {', '.join(snapshot.left_out)}")
        tell("the next index does not take them up again; `firstseen index --take-up RUN` does")

"""Sets the scenes of the trials: small archives and stores, and what a command is to do with them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from foundation.store.files import Store
from tests.faults.trials import REPOSITORY, Command
from tests.photos import jpeg, noise, write_catalog

# Long before any run: what was written while a run began would be read again in the next one.
LONG_AGO = 1_500_000_000
PHOTOS = 12
COMMANDS = ("encode", "index", "reindex", "compact", "gc")


def put(archive: Path, name: str, seed: int) -> None:
    """Writes a photo that was there for years."""
    path = archive / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg(noise(seed)))
    os.utime(path, (LONG_AGO + seed, LONG_AGO + seed))


def firstseen(*arguments: str, environment: Mapping[str, str] | None = None) -> None:
    """Runs a command of firstseen to its end."""
    subprocess.run(
        [sys.executable, "-m", "firstseen", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **(environment or {})},
        check=True,
        capture_output=True,
        timeout=300,
    )


def make_scene(folder: Path, verb: str) -> Command:
    """Returns a command that has something to do on a local store: photos that came, changed, moved and went."""
    archive, store, prepared = folder / "archive", folder / "store", folder / "prepared"
    for number in range(PHOTOS):
        put(archive, f"{number % 3}/{number:02d}.jpg", number)
    firstseen("reindex", str(archive), "--store", str(store))
    _change(archive, 100)
    catalog = write_catalog(folder / "catalog.csv", [{"photo_id": "2/05.jpg", "caption": "another caption"}])
    arguments = {
        "encode": ["encode", str(archive), "--store", str(store), "--catalog", str(catalog)],
        "index": ["index", "--store", str(store)],
        "reindex": ["reindex", str(archive), "--store", str(store), "--catalog", str(catalog)],
        "compact": ["compact", "--all", "--store", str(store)],
        "gc": ["gc", "--store", str(store), "--keep", "1", "--grace", "0"],
    }[verb]
    if verb == "index":
        firstseen("encode", str(archive), "--store", str(store))
    if verb in ("compact", "gc"):
        for night in range(3):
            # Not by `reindex`, which would compact them itself.
            firstseen("encode", str(archive), "--store", str(store))
            firstseen("index", "--store", str(store))
            _change(archive, 200 + 10 * night)
    shutil.copytree(store, prepared)
    # What was encoded shows when it is indexed.
    then = ["index", "--store", str(store)] if verb == "encode" else []
    return Command(arguments, str(store), restore_from(prepared, store), then)


def _change(archive: Path, seed: int) -> None:
    photos = sorted(path for path in archive.rglob("*.jpg"))
    put(archive, f"new/{seed}.jpg", seed)
    put(archive, str(photos[0].relative_to(archive)), seed + 1)
    photos[1].rename(photos[1].with_name(f"moved-{seed}.jpg"))
    photos[2].unlink()


def restore_from(prepared: Path, store: Path) -> Callable[[], None]:
    """Returns what makes a store as it was prepared."""

    def restore() -> None:
        shutil.rmtree(store, ignore_errors=True)
        shutil.copytree(prepared, store)

    return restore


def in_bucket(command: Command, bucket: str) -> Command:
    """Returns the same command on a store in a bucket, which is copied there from this machine before each trial."""
    prepared = Path(command.store).with_name("prepared")
    store = f"{bucket}/store"

    def restore() -> None:
        opened = Store(store)
        opened.delete([file.path for file in opened.walk()])
        for path in sorted(prepared.rglob("*")):
            if path.is_file():
                opened.upload(path.relative_to(prepared).as_posix(), path)

    def named(arguments: Sequence[str]) -> list[str]:
        return [store if one == command.store else one for one in arguments]

    return Command(named(command.arguments), store, restore, named(command.then))

"""Prepares the demo's folder: an archive, edited copies of some of its photos as queries, and places for the rest."""

import random
import shutil
from dataclasses import dataclass
from pathlib import Path

from firstseen.demo.archive import CATALOG, require_photographs, write_demo_archive, write_demo_queries
from firstseen.demo.edits import EDITS
from foundation.errors import InputNotFoundError, UsageError
from foundation.photos import photo
from foundation.photos.photo import PhotoError
from training.edits.degrade import to_jpeg

# Lists the parts that a demo has written: a folder without this file belongs to somebody else.
MARKER = ".firstseen-demo"
# The demo writes these into its folder, and removes no others when it is run again.
PARTS_BESIDE_AN_ARCHIVE = ("queries", "store", "answers.html", "evidence")
PARTS = ("archive", CATALOG, *PARTS_BESIDE_AN_ARCHIVE)
UNEDITED = "motorcycle_right.jpg"


@dataclass(frozen=True)
class DemoPaths:
    """Where the demo's parts lie; `catalog` is None for an archive of the user's own."""

    archive: Path
    catalog: Path | None
    queries: Path
    store: Path
    page: Path
    evidence: Path


def prepare_demo(directory: Path, *, archive: Path | None = None) -> DemoPaths:
    """Makes a folder, or removes from it what an earlier demo wrote, and writes archive and queries into it.

    Raises UsageError if `directory` holds what no demo wrote, or `archive`; InputNotFoundError if that holds no photo.
    """
    if archive is None:
        require_photographs()
    elif not archive.is_dir():
        raise InputNotFoundError(f"archive {archive} is no folder; expected one with photos")
    elif archive.resolve().is_relative_to(directory.resolve()):
        raise UsageError(f"archive {archive} lies in {directory}, which the demo writes; choose another --directory")
    _start_afresh(directory, PARTS if archive is None else PARTS_BESIDE_AN_ARCHIVE)
    queries = directory / "queries"
    if archive is None:
        made = directory / "archive"
        write_demo_archive(made)
        write_demo_queries(made, queries)
        copy_unedited(next(made.rglob(UNEDITED)), queries)
        return _paths(directory, archive=made, catalog=directory / CATALOG)
    write_edited_copies(archive, queries)
    return _paths(directory, archive=archive, catalog=None)


def copy_unedited(photo_path: Path, folder: Path) -> Path:
    """Copies a photo byte for byte under another name; returns its path."""
    return Path(shutil.copyfile(photo_path, folder / f"same-file-as-{photo_path.name}"))


def write_edited_copies(archive: Path, folder: Path, *, seed: int = 0) -> list[Path]:
    """Writes one edited copy per edit, each of another photo of the archive, and one unedited; returns the paths.

    Raises InputNotFoundError if the archive holds no photo that can be decoded.
    """
    # The same photos each time, but not all from the folder that comes first.
    files = sorted(path for path in archive.rglob("*") if path.is_file())
    random.Random(seed).shuffle(files)  # noqa: S311 (which photos a demo shows is no secret)
    folder.mkdir()
    waiting = list(EDITS.items())
    written = []
    while waiting and files:
        path = files.pop()
        try:
            pixels = photo.decode(path.read_bytes(), with_metadata=False).pixels
        except (PhotoError, OSError):
            continue
        name, edit = waiting.pop()
        written.append(folder / f"{name.replace('_', '-')}-of-{path.stem}.jpg")
        written[-1].write_bytes(to_jpeg(edit(pixels)))
        # The last photo is there a second time, unedited, to show what `identical` means.
        if len(written) == len(EDITS):
            written.append(copy_unedited(path, folder))
    if not written:
        raise InputNotFoundError(f"archive {archive} holds no photo that can be decoded; expected some for the demo")
    return written


def _start_afresh(directory: Path, parts: tuple[str, ...]) -> None:
    """Removes what an earlier demo wrote, by the list in its marker and nothing else; writes the list of this one."""
    marker = directory / MARKER
    if directory.exists() and not marker.exists() and any(directory.iterdir()):
        raise UsageError(f"{directory} holds files that no demo wrote; expected a new folder: choose --directory")
    if marker.exists():
        for name in set(marker.read_text().split()) & set(PARTS):
            path = directory / name
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
    for name in parts:
        if (directory / name).exists():
            raise UsageError(f"{directory / name} was written by no demo; expected a new folder: choose --directory")
    directory.mkdir(parents=True, exist_ok=True)
    marker.write_text("\n".join(parts))


def _paths(directory: Path, *, archive: Path, catalog: Path | None) -> DemoPaths:
    return DemoPaths(
        archive=archive,
        catalog=catalog,
        queries=directory / "queries",
        store=directory / "store",
        page=directory / "answers.html",
        evidence=directory / "evidence",
    )

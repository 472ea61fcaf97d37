"""Reads edits that other people made: a folder for each photo, which holds the original and what was made of it."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from evaluation.copies.photos import SourcePhoto, list_photos
from foundation.errors import InputNotFoundError

ORIGINAL = "original"


def list_made_edits(folder: Path, *, tell: Callable[[str], None]) -> dict[SourcePhoto, SourcePhoto]:
    """Returns the edited photos, each with its original: the one of its folder whose name is `original.jpg` or so.

    Raises InputNotFoundError for a folder that has none, or several, or nothing beside it.
    """
    by_folder: dict[str, list[SourcePhoto]] = defaultdict(list)
    for one in list_photos(folder, tell=tell):
        by_folder[one.folder].append(one)
    originals = {}
    for name in sorted({*by_folder, *(path.name for path in folder.iterdir() if path.is_dir())}):
        edited = [one for one in by_folder[name] if not _is_original(one)]
        found = [one for one in by_folder[name] if _is_original(one)]
        if len(found) != 1 or not edited:
            raise InputNotFoundError(
                f"{folder / name} holds {len(found)} usable photos called {ORIGINAL} and {len(edited)} others; "
                f"expected one {ORIGINAL}.jpg (or .png …) and edits of it, each of them in --made-edits only once"
            )
        originals.update(dict.fromkeys(edited, found[0]))
    return originals


def _is_original(one: SourcePhoto) -> bool:
    return PurePosixPath(one.uri).stem == ORIGINAL

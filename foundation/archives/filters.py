"""Leaves out of an archive what systems write into folders, and what the user's patterns exclude."""

import fnmatch
import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from foundation.archives.photos import Entry

# What macOS, Windows, Linux, Synology and git write beside people's files. None of it is ever a photo of the archive;
# any other file that is none is listed and becomes a reject, so that nothing is dropped without a word.
SYSTEM_FILES = (
    ".DS_Store",
    "._*",
    ".Spotlight-V100",
    ".Trash*",
    "__MACOSX",
    "Thumbs.db",
    "desktop.ini",
    "lost+found",
    "@eaDir",
    ".git",
)
# Between the names of folders, files and members; `#` may also be a letter of a file's own name.
_SEPARATOR = re.compile(r"/|(?<=\.tar)#")
# Why an entry is left out, as the counter names it.
SYSTEM, EXCLUDED, NOT_INCLUDED = "files of the system", "excluded", "not included"


@dataclass(frozen=True)
class Filter:
    """Which photos of an archive count: those that `include` matches, if it has patterns, without those of `exclude`.

    A pattern without a slash matches the name of a file or folder anywhere, one with a slash the path of a file or
    folder from the archive's root, and what lies in a folder or shard goes with it; `*` stands for any characters,
    slashes too, `?` for one, `[ab]` for one of these, and capitals do not matter.
    """

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()

    def drop(self, entries: Iterable[Entry], left_out: Counter[str]) -> Iterator[Entry]:
        """Yields the entries without files of the system and what `exclude` matches; counts these in `left_out`."""
        excluded = tuple(self.exclude)
        for entry in entries:
            if _matches(SYSTEM_FILES, entry.photo_id):
                left_out[SYSTEM] += 1
            elif excluded and _matches(excluded, entry.photo_id):
                left_out[EXCLUDED] += 1
            else:
                yield entry

    def choose(self, entries: Iterable[Entry], left_out: Counter[str]) -> Iterator[Entry]:
        """Yields the entries that `include` matches, all if it is empty; counts the others in `left_out`."""
        included = tuple(self.include)
        for entry in entries:
            if not included or _matches(included, entry.photo_id):
                yield entry
            else:
                left_out[NOT_INCLUDED] += 1


def _matches(patterns: tuple[str, ...], photo_id: str) -> bool:
    names, paths = _compiled(patterns)
    lower = photo_id.lower()
    return any(map(names.fullmatch, _SEPARATOR.split(lower))) or bool(paths.fullmatch(lower))


# A listing of millions asks for the same few patterns.
@functools.lru_cache(16)
def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Returns what matches a name, by the patterns without a slash, and what matches a path, by those with one."""
    lower = [pattern.lower() for pattern in patterns]
    names = [pattern.strip("/") for pattern in lower if "/" not in pattern.strip("/")]
    paths = [pattern.strip("/") + rest for pattern in lower if "/" in pattern.strip("/") for rest in ("", "/*", "#*")]
    return _any_of(names), _any_of(paths)


def _any_of(patterns: list[str]) -> re.Pattern[str]:
    # Of no pattern at all there is none that matches: an empty expression would match the empty name.
    return re.compile("|".join(map(fnmatch.translate, patterns)) or "(?!)")

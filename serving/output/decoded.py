"""Writes what an index knows of its matches, as pictures: each stored vector, put through the encoder's decoder."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from foundation.csv_rows import CsvRows
from foundation.encoder import has_decoder
from foundation.errors import UsageError
from foundation.files import finished_file
from foundation.store.files import Store
from foundation.store.snapshots import read_encoder, read_snapshot
from serving.match.match import Match, Outcome
from serving.output.destination import open_text
from serving.search.snapshot import Place

MANIFEST = "decoded.csv"
COLUMNS = ("query", "rank", "photo_id", "file")
# A thousand matches of one query, decoded together at 224 pixels, would take 600 MB.
DECODED_AT_ONCE = 64

Decode = Callable[[Sequence[Place]], np.ndarray]


def check_decoder(store: Store, snapshot: int | None) -> None:
    """Raises UsageError unless the snapshot's encoder has a decoder; reads two descriptions and loads nothing."""
    spec = read_encoder(store, read_snapshot(store, snapshot))
    if not has_decoder(spec):
        raise UsageError(
            f"encoder {spec.encoder_id} has no decoder; expected one trained as an autoencoder: leave out --decode"
        )


def write_decoded(outcomes: Iterable[Outcome], *, folder: Path, decode: Decode) -> Generator[Outcome, None, None]:
    """Writes a picture per match, then passes the outcome of its query on; `decoded.csv` says which file is whose.

    `decode` gives float32 [n, height, width, channels] in [0, 1] for n places of the index, and is asked for at most
    64 at once. A picture appears only when it is whole, `decoded.csv` only when all of them are there. Without a match
    nothing is written, not even the folder.
    """
    with ExitStack() as stack:
        files: CsvRows | None = None
        for number, outcome in enumerate(outcomes, 1):
            for rank, (match, picture) in enumerate(_pictures(outcome.matches, decode), 1):
                files = files or stack.enter_context(_list_of_files(folder))
                name = picture_name(number, rank)
                _write_png(folder / name, picture)
                files.write([outcome.query, rank, match.photo["photo_id"], name])
            yield outcome


@contextmanager
def _list_of_files(folder: Path) -> Iterator[CsvRows]:
    folder.mkdir(exist_ok=True)
    with open_text(folder / MANIFEST) as file:
        yield CsvRows(file, COLUMNS)


def picture_name(query: int, rank: int | None) -> str:
    """Returns the file name of a match's picture: the number of its query, counted from 1, and its rank."""
    return f"{query:06}-{rank:02}.png"


def _pictures(matches: Sequence[Match], decode: Decode) -> Iterator[tuple[Match, np.ndarray]]:
    for start in range(0, len(matches), DECODED_AT_ONCE):
        part = matches[start : start + DECODED_AT_ONCE]
        yield from zip(part, decode([match.place for match in part]), strict=True)


def _write_png(path: Path, picture: np.ndarray) -> None:
    """Writes float32 [height, width, channels] in [0, 1], one channel as grey."""
    from PIL import Image

    levels = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    try:
        with finished_file(path) as partial:
            Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels).save(partial, "PNG")
    except OSError as error:
        error.filename = str(path)  # A full disk does not say where, and the name of the moment says nothing.
        raise

"""What an index knows of its matches, as pictures: each stored vector, put through the encoder's decoder."""

import csv
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from foundation.encoder import has_decoder
from foundation.errors import InputNotFoundError, UsageError
from foundation.files import finished_file
from foundation.store.files import Store
from foundation.store.snapshots import read_encoder, read_snapshot
from serving.answers import Answer
from serving.output.formats import open_text
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


def check_folder(folder: Path, *, store: Store, queries: Iterable[Path], output: Path | None) -> None:
    """Raises UsageError unless `folder` is new or empty, and lies where its pictures can do no harm.

    Raises InputNotFoundError if the folder that it would be made in does not exist.
    """
    place = folder.resolve()
    if not folder.absolute().parent.is_dir():
        raise InputNotFoundError(f"folder {folder.parent} does not exist; make it before --decode {folder}")
    if store.local_root and place.is_relative_to(store.local_root.resolve()):
        raise UsageError(f"decode folder {folder} lies in the store, which holds artifacts only; choose another place")
    for query in queries:
        if place.is_relative_to(query.resolve()):
            raise UsageError(
                f"decode folder {folder} lies among the queries {query}: its pictures would be looked up; "
                "choose another place"
            )
    if output and output.resolve().is_relative_to(place):
        raise UsageError(f"output {output} lies in the decode folder {folder}; choose another place for one of them")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"decode folder {folder} is a file; expected the name of a new folder")
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"decode folder {folder} is not empty; expected a new or an empty one: nothing is replaced")


def write_decoded(
    answers: Iterable[list[Answer]], *, folder: Path, decode: Decode
) -> Generator[list[Answer], None, None]:
    """Writes a picture per match, then passes the answers of its query on; `decoded.csv` says which file is whose.

    `decode` gives float32 [n, height, width, channels] in [0, 1] for n places of the index, and is asked for at most
    64 at once. A picture appears only when it is whole, `decoded.csv` only when all of them are there.
    """
    folder.mkdir(exist_ok=True)
    with open_text(folder / MANIFEST) as file:
        # Quoted for the same reason as the answers: a name may hold a carriage return.
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        writer.writerow(COLUMNS)
        for number, one_query in enumerate(answers, 1):
            for answer, picture in _pictures(one_query, decode):
                name = picture_name(number, answer.rank)
                _write_png(folder / name, picture)
                writer.writerow([answer.query, answer.rank, answer.photo_id, name])
            yield one_query


def picture_name(query: int, rank: int | None) -> str:
    """Returns the file name of a match's picture: the number of its query, counted from 1, and its rank."""
    return f"{query:06}-{rank:02}.png"


def _pictures(answers: Sequence[Answer], decode: Decode) -> Iterator[tuple[Answer, np.ndarray]]:
    matches = [(answer, answer.place) for answer in answers if answer.place]
    for start in range(0, len(matches), DECODED_AT_ONCE):
        part = matches[start : start + DECODED_AT_ONCE]
        pictures = decode([place for _, place in part])
        yield from zip((answer for answer, _ in part), pictures, strict=True)


def _write_png(path: Path, picture: np.ndarray) -> None:
    """Writes float32 [height, width, channels] in [0, 1], one channel as grey."""
    levels = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    try:
        with finished_file(path) as partial:
            Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels).save(partial, "PNG")
    except OSError as error:
        error.filename = str(path)  # a full disk does not say where
        raise

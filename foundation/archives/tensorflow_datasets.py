"""Lists and reads TensorFlow Datasets, prepared on this machine or downloaded."""

import contextlib
import functools
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from foundation.archives.photos import EncodedPhoto, Entry, UnreadablePhotoError, unreadable
from foundation.errors import FirstseenError, InputNotFoundError, UsageError

SCHEME = "tfds:"
# TensorFlow Datasets tries for minutes, with longer and longer pauses; a network that answers does so within seconds.
CONNECT_SECONDS = 5


def archive_uri(source: str, data_dir: Path | None) -> str:
    """Returns `tfds:NAME/SPLIT` with the folder that the data set is prepared in, if one was named.

    Downloads the data set if it is not prepared and no `data_dir` says where it should be. Raises InputNotFoundError if
    it is unknown or cannot be had, UsageError on another split or without photos.
    """
    name, split = _name_and_split(source)
    if not name:
        raise UsageError(f"{source!r} names no data set; expected tfds:NAME, such as tfds:mnist")
    builder = _prepared_builder(source, name, data_dir)
    if split not in builder.info.splits:
        raise UsageError(f"{name} has no split {split!r}; expected one of: {', '.join(builder.info.splits)}")
    _image_feature(builder, name)
    place = f"?data_dir={quote(str(data_dir.absolute()))}" if data_dir else ""
    return f"{SCHEME}{name}/{split}{place}"


def list_split(uri: str) -> Iterator[Entry]:
    """Yields the records of a split in their order, by its description alone; photo_ids are `NAME/SPLIT#RECORD`."""
    builder, split = _opened(uri)
    records = builder.info.splits[split].num_examples
    return (Entry(f"{builder.info.name}/{split}#{record}", f"{uri}#{record}", -1, None) for record in range(records))


def read_records(uris: Iterator[str]) -> Iterator[EncodedPhoto]:
    """Yields the photos with these URIs, all of one split, in ascending order; records between them are passed over."""
    # Read in one pass, since a TFRecord file has no index: a single record costs all those before it in its file.
    names = list(uris)
    try:
        numbers = [int(name.rpartition("#")[2]) for name in names]
        records = _records(names[0].partition("#")[0], numbers[0], numbers[-1] + 1)
    except (FirstseenError, ValueError) as error:
        problem = UnreadablePhotoError(f"{names[0]} cannot be read: {error}")
        yield from (unreadable(problem) for _ in names)
        return
    wanted = set(numbers)
    yield from (photo for number, photo in enumerate(records, numbers[0]) if number in wanted)


def _records(uri: str, start: int, end: int) -> Iterator[EncodedPhoto]:
    import tensorflow_datasets as tfds

    builder, split = _opened(uri)
    key, label_of = _image_feature(builder, uri), _label_names(builder)
    reading = tfds.core.ReadInstruction(split, from_=start, to=end, unit="abs")
    # Images stay encoded: the project has one decoder, and the content hash is that of the file's bytes. Files in their
    # order, since the number of a record is its photo_id.
    records = builder.as_dataset(split=reading, decoders={key: tfds.decode.SkipDecoding()}, shuffle_files=False)
    return (EncodedPhoto(partial(bytes, record[key].numpy()), partial(label_of, record)) for record in records)


def _opened(uri: str):
    """Returns (builder, split) of the URI of an archive."""
    source, _, place = uri.partition("?data_dir=")
    name, split = source.removeprefix(SCHEME).rsplit("/", 1)
    return _builder(source, name, Path(unquote(place)) if place else None), split


# Every chunk of an inventory, and every photo that is read alone, asks for the data set by its URI.
@functools.lru_cache(4)
def _builder(source: str, name: str, data_dir: Path | None):
    # Only whoever names an archive may download it: a query or a row of an inventory is anybody's text.
    return _prepared_builder(source, name, data_dir, may_download=False)


def _name_and_split(source: str) -> tuple[str, str]:
    """Returns what `tfds:NAME[/CONFIG][/SPLIT]` names: the data set with its configuration, and the split."""
    import tensorflow_datasets as tfds

    name, _, rest = source.removeprefix(SCHEME).partition("/")
    configuration, _, split = rest.partition("/")
    with contextlib.suppress(ValueError, tfds.core.registered.DatasetNotFoundError):  # reported when it is opened
        if configuration in tfds.builder_cls(name).builder_configs:
            return f"{name}/{configuration}", split or "train"
    return name, rest or "train"


def _prepared_builder(source: str, name: str, data_dir: Path | None, *, may_download: bool = True):
    # The catalogue of built-in data sets registers itself by its import, which costs seconds.
    import tensorflow_datasets as tfds

    try:
        with contextlib.redirect_stdout(sys.stderr):  # it says much, and stdout is for data
            builder = tfds.builder(name, data_dir=data_dir)
    except tfds.core.registered.DatasetNotFoundError as error:
        raise InputNotFoundError(
            f"TensorFlow Datasets knows no {name!r} (received {source!r}); see "
            "https://www.tensorflow.org/datasets/catalog for the names"
        ) from error
    # What it cannot parse, or a version that there is not, it explains on many lines.
    except (ValueError, AssertionError) as error:
        raise UsageError(f"{source!r} names no data set; expected tfds:NAME, such as tfds:mnist") from error
    if builder.is_prepared():
        return builder
    if data_dir is not None:
        raise InputNotFoundError(
            f"{name} is not prepared below {data_dir}; expected {builder.data_path}: correct --data-dir, or leave it "
            "out to download the data set to ~/tensorflow_datasets"
        )
    if not may_download:
        raise InputNotFoundError(f"{name} is not prepared on this machine, and reading a photo downloads nothing")
    _require_network(builder, name)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            builder.download_and_prepare()
    except Exception as error:  # any of many network, archive and disk errors
        raise InputNotFoundError(
            f"cannot download {name}: {error}; prepare it elsewhere and name its folder with --data-dir"
        ) from error
    return builder


def _require_network(builder, name: str) -> None:
    """Raises InputNotFoundError if the first file that is to be downloaded cannot be asked for within seconds."""
    import requests  # what the download itself is made with: the same proxies count

    missing = _files_to_download(builder)
    if not missing:
        return
    try:
        requests.head(missing[0], timeout=CONNECT_SECONDS).close()
    except requests.RequestException as error:
        raise InputNotFoundError(
            f"{name} is not prepared in {builder.data_path}, and {urlsplit(missing[0]).hostname} cannot be reached to "
            "download it; prepare it elsewhere, and name its folder with --data-dir"
        ) from error


def _files_to_download(builder) -> list[str]:
    """Returns the http addresses that a data set is made of, without those that were downloaded before.

    Beside each file that it has downloaded TensorFlow Datasets writes a description that names its address. A data
    set that people have to download by hand is left out: what of it is there, only TensorFlow Datasets knows.
    """
    if builder.MANUAL_DOWNLOAD_INSTRUCTIONS:
        return []
    downloads = Path(builder.data_dir_root, "downloads")
    described = [path.read_text() for path in (*downloads.glob("*.INFO"), *downloads.glob("*/*.INFO"))]
    addresses = [url for url in builder.url_infos if url.startswith("http")]
    return [url for url in addresses if not any(json.dumps(url) in text for text in described)]


def _label_names(builder) -> Callable[[dict], str | None]:
    """Returns what gives the class of a record, or None for a data set without classes."""
    import tensorflow_datasets as tfds

    feature = dict(builder.info.features).get("label")
    if not isinstance(feature, tfds.features.ClassLabel):
        return lambda _record: None
    return lambda record: feature.int2str(int(record["label"].numpy()))


def _image_feature(builder, name: str) -> str:
    import tensorflow_datasets as tfds

    features = builder.info.features
    images = [key for key, feature in features.items() if isinstance(feature, tfds.features.Image)]
    if not images:
        raise UsageError(f"{name} has no image feature; expected one; its features: {', '.join(features)}")
    return "image" if "image" in images else images[0]

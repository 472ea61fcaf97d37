"""Where training photos come from: TensorFlow Datasets, folder trees, tar shards and Parquet, as encoded bytes."""

import contextlib
import glob
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from training import tar_shards
from training.errors import InputNotFoundError, UsageError

TFDS_SCHEME = "tfds:"
PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif")
# In order of preference, for files with several binary columns.
PHOTO_COLUMNS = ("image", "photo", "img", "picture", "jpg", "jpeg", "png", "webp", "bytes", "content", "data")
ROWS_PER_READ = 64
# The largest photo that is read whole: what is longer is cut here, and the decoder rejects it.
MAX_READ_BYTES = 256 * 2**20 + 1


@dataclass(frozen=True)
class EncodedPhoto:
    """How to get the encoded bytes of one photo, and its class if the source tells it.

    For files the read happens in the thread that decodes.
    """

    read: Callable[[], bytes]
    label: str | None = None


@dataclass(frozen=True)
class PhotoSource:
    """The photos of one source, numbered from 0: `read(numbers)` yields those asked for, in ascending order.

    `fingerprint` changes when the source does.
    """

    name: str
    photos: int
    fingerprint: str
    read: Callable[[Sequence[int]], Iterator[EncodedPhoto]]


def open_source(source: str, *, data_dir: Path | None = None) -> PhotoSource:
    """Opens `tfds:NAME[/CONFIG][/SPLIT]`, a folder tree of images, or files and folders of Parquet or of tar shards.

    A pattern such as `shards/train-0000[0-5]*.tar` names several tar shards. Raises InputNotFoundError if there is
    nothing, UsageError if it is none of these.
    """
    if source.startswith(TFDS_SCHEME):
        return _open_tfds(source, data_dir)
    if "://" in source:
        raise UsageError(
            f"cannot train on {source!r}; expected tfds:NAME, a local folder of images, or local tar or Parquet files: "
            "copy the photos to this machine first"
        )
    files = _files_of(source)
    if all(file.suffix.lower() == ".tar" for file in files):
        return _open_tars(source, files)
    tables = [file for file in files if file.suffix.lower() == ".parquet"]
    # A catalog in Parquet may lie beside the photos that it describes.
    if tables and not any(file.suffix.lower() in PHOTO_SUFFIXES for file in files):
        return _open_parquet(source, tables)
    if len(files) == 1 and Path(source).expanduser().is_file():
        raise UsageError(
            f"cannot train on the one file {source!r}; expected a folder of images, or a .parquet or .tar file"
        )
    return _open_folder(source, files)


def _files_of(source: str) -> list[Path]:
    """Returns the file itself, the files below a folder, or those that a pattern names; sorted, at least one."""
    path = Path(source).expanduser()
    if path.is_dir():
        files = _list_files(path)
    else:
        files = [path] if path.exists() else [Path(name) for name in sorted(glob.glob(str(path)))]
    if not files:
        raise InputNotFoundError(
            f"no photos in the source {source!r}; expected tfds:NAME, a folder of images, or tar or Parquet files"
        )
    return files


def _list_files(folder: Path) -> list[Path]:
    def refuse(error: OSError) -> None:
        raise InputNotFoundError(f"cannot list {error.filename}: {error.strerror}; check the access rights") from error

    found: list[Path] = []
    for directory, subdirectories, names in os.walk(folder, onerror=refuse):
        subdirectories.sort()
        found.extend(Path(directory, name) for name in sorted(names))
    return found


def _open_folder(source: str, files: list[Path]) -> PhotoSource:
    def read(numbers: Sequence[int]) -> Iterator[EncodedPhoto]:
        return (EncodedPhoto(partial(_read_file, files[number])) for number in numbers)

    return PhotoSource(source, len(files), _fingerprint_files(files), read)


def _read_file(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(MAX_READ_BYTES)


def _fingerprint_files(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        try:
            status = file.stat()
        except OSError:  # a dangling link: the decoder's read will report it
            continue
        digest.update(f"{file}\0{status.st_size}\0{status.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _open_parquet(source: str, tables: list[Path]) -> PhotoSource:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns, rows = [], []
    for table in tables:
        try:
            opened = pq.ParquetFile(table)
        except (pa.ArrowInvalid, OSError) as error:
            raise InputNotFoundError(f"cannot read {table}: {error}; expected a Parquet file") from error
        with opened:
            columns.append(_photo_column(opened.schema_arrow, table))
            rows.append(opened.metadata.num_rows)

    def read(numbers: Sequence[int]) -> Iterator[EncodedPhoto]:
        readers = [partial(_read_column, table, column) for table, column in zip(tables, columns, strict=True)]
        return _chosen(readers, rows, numbers)

    return PhotoSource(source, sum(rows), _fingerprint_files(tables), read)


def _open_tars(source: str, shards: list[Path]) -> PhotoSource:
    counts = [tar_shards.count_photos(shard) for shard in shards]

    def read(numbers: Sequence[int]) -> Iterator[EncodedPhoto]:
        return _chosen([partial(_read_shard, shard) for shard in shards], counts, numbers)

    return PhotoSource(source, sum(counts), _fingerprint_files(shards), read)


def _read_shard(shard: Path) -> Iterator[EncodedPhoto]:
    for sample in tar_shards.read_photos(shard, max_bytes=MAX_READ_BYTES):
        yield EncodedPhoto(partial(bytes, sample.data), sample.label)


def _chosen(
    readers: Sequence[Callable[[], Iterator[EncodedPhoto]]], counts: Sequence[int], numbers: Sequence[int]
) -> Iterator[EncodedPhoto]:
    """Yields the photos of those numbers out of files of `counts` photos each; a file without any is not opened."""
    start, wanted = 0, set(numbers)
    for read, count in zip(readers, counts, strict=True):
        if not wanted.isdisjoint(range(start, start + count)):
            yield from (photo for number, photo in enumerate(read(), start) if number in wanted)
        start += count


def _photo_column(schema, table: Path) -> str:
    """Returns the path of the column of encoded photos: binary, or a struct with `bytes` as Hugging Face writes."""
    import pyarrow as pa

    def is_binary(kind) -> bool:
        return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)

    found = {item.name: item.name for item in schema if is_binary(item.type)}
    for item in schema:
        if pa.types.is_struct(item.type) and any(part.name == "bytes" and is_binary(part.type) for part in item.type):
            found[item.name] = f"{item.name}.bytes"
    preferred = [name for name in PHOTO_COLUMNS if name in found]
    if preferred:
        return found[preferred[0]]
    if len(found) == 1:
        return next(iter(found.values()))
    columns = ", ".join(f"{item.name} ({item.type})" for item in schema)
    problem = f"several binary columns ({', '.join(found)})" if found else "no binary column"
    raise UsageError(
        f"{table} has {problem}; expected one of encoded images named one of {', '.join(PHOTO_COLUMNS)}; "
        f"its columns: {columns}"
    )


def _read_column(table: Path, column: str) -> Iterator[EncodedPhoto]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(table) as opened:
        for batch in opened.iter_batches(batch_size=ROWS_PER_READ, columns=[column]):
            values = batch.column(0)
            if column.endswith(".bytes") and column not in opened.schema_arrow.names:
                values = values.field("bytes")
            # A row without bytes is a photo like any other that cannot be decoded: counted, not dropped.
            yield from (EncodedPhoto(partial(bytes, value.as_py() or b"")) for value in values)


def _open_tfds(source: str, data_dir: Path | None) -> PhotoSource:
    name, split = _name_and_split(source)
    if not name:
        raise UsageError(f"{source!r} names no data set; expected tfds:NAME, such as tfds:mnist")
    builder = _prepared_builder(source, name, data_dir)
    if split not in builder.info.splits:
        raise UsageError(f"{name} has no split {split!r}; expected one of: {', '.join(builder.info.splits)}")
    key = _image_feature(builder, name)
    label_of = _label_names(builder)

    def read(numbers: Sequence[int]) -> Iterator[EncodedPhoto]:
        import tensorflow_datasets as tfds

        wanted, last = set(numbers), max(numbers, default=-1)
        records = builder.as_dataset(split=split, decoders={key: tfds.decode.SkipDecoding()}, shuffle_files=False).take(
            last + 1
        )
        for number, record in enumerate(records):
            if number in wanted:
                yield EncodedPhoto(record[key].numpy, label_of(record))

    fingerprint = json.dumps([builder.info.full_name, split, builder.info.splits[split].num_bytes])
    return PhotoSource(source, builder.info.splits[split].num_examples, fingerprint, read)


def _name_and_split(source: str) -> tuple[str, str]:
    """Returns what `tfds:NAME[/CONFIG][/SPLIT]` names: the data set with its configuration, and the split."""
    import tensorflow_datasets as tfds

    name, _, rest = source.removeprefix(TFDS_SCHEME).partition("/")
    configuration, _, split = rest.partition("/")
    with contextlib.suppress(ValueError, tfds.core.registered.DatasetNotFoundError):  # reported when it is opened
        if configuration in tfds.builder_cls(name).builder_configs:
            return f"{name}/{configuration}", split or "train"
    return name, rest or "train"


def _prepared_builder(source: str, name: str, data_dir: Path | None):
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
    if builder.is_prepared():
        return builder
    if data_dir is not None:
        raise InputNotFoundError(
            f"{name} is not prepared below {data_dir}; expected {builder.data_path}: correct --data-dir, or leave it "
            "out to download the data set to ~/tensorflow_datasets"
        )
    try:
        with contextlib.redirect_stdout(sys.stderr):
            builder.download_and_prepare()
    except Exception as error:  # any of many network, archive and disk errors
        raise InputNotFoundError(
            f"cannot download {name}: {error}; prepare it elsewhere and name its folder with --data-dir"
        ) from error
    return builder


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

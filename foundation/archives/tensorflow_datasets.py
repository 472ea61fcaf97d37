"""Training photos out of TensorFlow Datasets, prepared on this machine or downloaded."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from foundation.archives.photo_source import EncodedPhoto, PhotoSource
from foundation.errors import InputNotFoundError, UsageError

SCHEME = "tfds:"


def open_tensorflow_dataset(source: str, data_dir: Path | None) -> PhotoSource:
    """Opens `tfds:NAME[/CONFIG][/SPLIT]`; without `data_dir` the data set is downloaded if need be.

    Raises InputNotFoundError if it is unknown or cannot be had, UsageError on another split or without photos.
    """
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

    name, _, rest = source.removeprefix(SCHEME).partition("/")
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
    except ValueError as error:  # what it cannot even parse, it explains on many lines
        raise UsageError(f"{source!r} names no data set; expected tfds:NAME, such as tfds:mnist") from error
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

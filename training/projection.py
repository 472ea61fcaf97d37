"""Fits the axes that descriptors of local features are compressed on: principal components of photographs' descriptors.

    python -m training.projection ARCHIVE --output foundation/photos/local_features_projection.npz

What it writes is fixed for all archives. Raise `FEATURE_RULE` in `foundation.photos.local_features` with it, because
descriptors on other axes cannot be compared.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from foundation.archives.archive import open_archive, read_photos
from foundation.errors import InputNotFoundError
from foundation.photos import photo
from foundation.photos.compressed_features import COMPRESSED
from foundation.photos.frame import grey
from foundation.photos.local_features import LONGEST_SIDE, extract
from foundation.photos.photo import PhotoError


def fit_projection(descriptors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns (mean float32 [128], axes float32 [128, 64]) of descriptors, uint8 [n, 128], the widest axis first."""
    values = descriptors.astype(np.float64)
    mean = values.mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov((values - mean).T))
    axes = vectors[:, ::-1][:, :COMPRESSED]
    # An axis may point either way: the same way on every machine, by its largest component.
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(COMPRESSED)])
    return mean.astype(np.float32), axes.astype(np.float32)


def read_descriptors(archive: str) -> Iterator[np.ndarray]:
    """Yields the descriptors of each photo of an archive that can be used, uint8 [n, 128]."""
    for encoded in read_photos(entry.uri for entry in open_archive(archive).list()):
        try:
            decoded = photo.decode(encoded.read(), size=1, with_metadata=False, frame_side=LONGEST_SIDE)
        except PhotoError:
            continue
        if decoded.frame is not None:
            yield extract(grey(decoded.frame)[..., 0]).descriptors


def main(archive: str, output: Path) -> None:
    """Fits the axes to an archive and writes them; raises InputNotFoundError if it has too few features."""
    found = [np.empty((0, 128), np.uint8), *read_descriptors(archive)]
    descriptors = np.concatenate(found)
    if len(descriptors) < 1_000:
        raise InputNotFoundError(
            f"{archive} has {len(descriptors)} local features; expected 1,000 and more, of some hundred photos"
        )
    mean, axes = fit_projection(descriptors)
    np.savez_compressed(output, mean=mean, axes=axes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive")
    parser.add_argument("--output", type=Path, required=True)
    main(**vars(parser.parse_args()))

"""Makes batches of cached photos, in an order that depends on the seed and the epoch alone."""

import keras
import numpy as np

from foundation.errors import InputNotFoundError
from training.edits.corruptions import corrupt


class PhotoBatches(keras.utils.PyDataset):
    """Pairs of uint8 [batch, size, size, channels] and the same photos as float32 in [0, 1].

    With a `corruption` the first of the pair is damaged. With `shuffle` the order changes from epoch to epoch, and the
    photos that do not fill the last batch sit the epoch out, so that every batch has the same shape.
    """

    def __init__(
        self,
        photos: np.ndarray,
        indices: np.ndarray,
        *,
        batch_size: int,
        seed: int,
        shuffle: bool = False,
        corruption: str = "none",
        workers: int = 1,
    ):
        super().__init__(workers=workers)
        self.photos = photos
        self.indices = indices
        self.batch_size = min(batch_size, len(indices))
        self.seed = seed
        self.shuffle = shuffle
        self.corruption = corruption
        self.epoch = 0
        self._shuffled: tuple[int, np.ndarray] = (-1, indices)

    def __len__(self) -> int:
        """Returns the number of batches of one epoch."""
        full, rest = divmod(len(self.indices), self.batch_size)
        return full if self.shuffle else full + bool(rest)

    def __getitem__(self, batch: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns one batch."""
        photos = self.photos[self.chosen(batch)]
        # Drawn anew for each batch: a training that resumes damages its photos as one that was never interrupted.
        generator = np.random.default_rng((self.seed, self.epoch, batch))
        return corrupt(photos, self.corruption, generator), photos.astype(np.float32) / 255

    def chosen(self, batch: int) -> np.ndarray:
        """Returns the numbers of the photos of one batch of the present epoch."""
        order = self._order() if self.shuffle else self.indices
        # Ascending, so that the disk is read forwards.
        return np.sort(order[batch * self.batch_size : (batch + 1) * self.batch_size])

    def _order(self) -> np.ndarray:
        """Returns the order of the present epoch, drawn once for all of its batches."""
        epoch, order = self._shuffled
        if epoch != self.epoch:
            order = np.random.default_rng((self.seed, self.epoch)).permutation(self.indices)
            self._shuffled = (self.epoch, order)
        return order


def split(photos: int, *, validation_share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns disjoint (training, validation) indices; raises InputNotFoundError below two photos."""
    if photos < 2:
        raise InputNotFoundError(
            f"the source has {photos} usable photo; expected at least 2, one to train on and one to validate"
        )
    validation = min(max(1, round(photos * validation_share)), photos - 1)
    order = np.random.default_rng(seed).permutation(photos)
    return order[validation:], order[:validation]

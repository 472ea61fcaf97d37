"""Makes batches of two views of each photo, edited anew in every epoch by as many threads as there are cores."""

import os

import numpy as np

from training.data.batches import PhotoBatches
from training.data.views import draw_views, unsqueezed

# Other photos for the edits of one batch, which share them: each costs a resize.
OTHERS = 16


class ViewBatches(PhotoBatches):
    """Views uint8 [batch, 2, size, size, channels], see `draw_views`, and the place of each photo in the batch.

    What is drawn depends on the seed, the epoch and the batch alone; without `shuffle`, as in validation, all epochs
    see the same.
    """

    def __init__(
        self, photos: np.ndarray, indices: np.ndarray, *, size: int, batch_size: int, seed: int, shuffle: bool
    ):
        # OpenCV lets other threads of Python compute meanwhile: threads are enough, and share the photos.
        super().__init__(
            photos, indices, batch_size=batch_size, seed=seed, shuffle=shuffle, workers=os.cpu_count() or 1
        )
        self.size = size

    def __getitem__(self, batch: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns one batch."""
        epoch = self.epoch if self.shuffle else 0
        generator = np.random.default_rng((self.seed, epoch, batch))
        others = [unsqueezed(self.photos[number], generator) for number in generator.choice(self.indices, OTHERS)]
        views = [draw_views(self.photos[number], others, generator, size=self.size) for number in self.chosen(batch)]
        return np.stack(views), np.arange(len(views), dtype=np.float32)

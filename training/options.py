"""Says what to train on, by which recipe, and where to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from foundation.checks import require_range
from training.choices import Scalar


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """What to train on, by which recipe, and where to.

    `source` is `tfds:NAME[/SPLIT]`, a folder of images or Parquet; `overrides` change fields or options of the recipe.
    `init` is the id of an encoder in the store whose weights the training begins with, and `backbone`, such as
    `keras:MobileNetV2`, takes the place of the recipe's architecture.

    `devices` are backend names such as `GPU:0` (default: every GPU, else the CPU); `mixed_precision` defaults to true
    on GPUs. An interrupted training resumes from `work_dir` when it is run again with the same options, or with
    `restart` begins anew. Its losses and learning rate go to a folder of its own below `log_dir`, for TensorBoard.

    Decoded photos are kept in `photo_cache`, and trainings on the same photos at the same size share them; without
    one they lie in the training's own part of `work_dir`, which is removed when the encoder is in the store.
    """

    source: str
    store: str | Path
    recipe: str = "convolutional"
    overrides: Mapping[str, Scalar] = field(default_factory=dict)
    data_dir: Path | None = None
    max_photos: int | None = None
    work_dir: Path | None = None
    photo_cache: Path | None = None
    log_dir: Path | None = None
    restart: bool = False
    seed: int = 0
    devices: tuple[str, ...] = ()
    mixed_precision: bool | None = None
    init: str | None = None
    backbone: str | None = None

    def __post_init__(self):
        """Raises UsageError on values that cannot work."""
        if self.max_photos is not None:
            # One to train on and one to validate with.
            require_range("--max-photos", self.max_photos, 2)
        require_range("--seed", self.seed, 0, 2**32 - 1)

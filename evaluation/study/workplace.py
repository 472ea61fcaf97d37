"""Where a study works: what lies here lets it go on after an interruption."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Workplace:
    """The folders of one study; `data_dir` is where TensorFlow Datasets are prepared."""

    directory: Path
    data_dir: Path | None = None

    @property
    def store(self) -> Path:
        """The store with the encoders of the study."""
        return self.directory / "store"

    @property
    def photos(self) -> Path:
        """The decoded photos, shared by all trainings."""
        return self.directory / "photos"

    @property
    def trainings(self) -> Path:
        """Records of finished trainings, and the state of the one that runs."""
        return self.directory / "trainings"

    @property
    def results(self) -> Path:
        """What the page is made of."""
        return self.directory / "results"

    def result(self, dataset: str, entry: str) -> Path:
        """The folder of one entry's result."""
        return self.results / dataset / entry

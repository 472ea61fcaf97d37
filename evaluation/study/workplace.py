"""Names the folders of a study: what lies there lets it go on after an interruption."""

from dataclasses import dataclass
from pathlib import Path

from evaluation.study.result import PHOTOS


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

    def photos_record(self, dataset: str) -> Path:
        """The file with the digest of the photos that a data set was last studied with."""
        return self.results / dataset / PHOTOS

    def result(self, dataset: str, entry: str) -> Path:
        """The folder of one entry's result."""
        return self.results / dataset / entry

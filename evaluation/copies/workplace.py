"""Names the files of an evaluation by all that decides what is in them: a finished one is used again, or not at all."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from evaluation.copies.plan import Plan

REPOSITORY = Path(__file__).parents[2]
# What decides how an archive is encoded and indexed, how others search it, and how a photo is edited.
BUILDING = ("foundation", "pipelines")
COMPARING = (
    *("evaluation/copies/methods.py", "evaluation/copies/measure.py", "evaluation/copies/metrics.py"),
    *("evaluation/baselines.py", "evaluation/grey.py", "evaluation/local_features.py", "evaluation/metrics.py"),
    "foundation/photos",
)
EDITING = (
    "training/edits",
    *("evaluation/copies/edits.py", "evaluation/copies/make_queries.py", "evaluation/copies/plan.py"),
)


@dataclass(frozen=True)
class Workplace:
    """The files of one evaluation below a directory."""

    directory: Path
    plan: Plan
    seed: int

    @property
    def _folder(self) -> Path:
        return self.directory / self.plan.digest

    @property
    def archive(self) -> Path:
        """The folder of the archive's photos; its catalog lies beside it."""
        return self._folder / "archive"

    @property
    def catalog(self) -> Path:
        """When each of them was published."""
        return self._folder / "catalog.csv"

    @property
    def queries(self) -> Path:
        """The files that are asked."""
        return self._folder / f"queries-{self.seed}-{source_digest(*EDITING)}"

    def answers(self, photos: int) -> Path:
        """What was answered last in an archive of so many photos, a line for each query, for whoever looks closer."""
        return self._folder / f"answers-in-{photos}.jsonl"

    def store(self, encoder: str, distractors: str | None) -> Path:
        """The store that was made with that encoder, by this program."""
        made_with = digest_of(encoder, distractors or "", source_digest(*BUILDING))
        return self._folder / f"store-{made_with}"

    def method(self, name: str) -> Path:
        """The result of another method with these queries."""
        return self.queries.with_name(f"{self.queries.name}-methods") / f"{name}-{source_digest(*COMPARING)}.json"


def source_digest(*parts: str) -> str:
    """Returns what stands for some source files, or for all in some folders: other code gives another."""
    files = {file for part in parts for file in [REPOSITORY / part, *(REPOSITORY / part).rglob("*")]}
    digest = hashlib.sha256()
    for file in sorted(file for file in files if file.is_file() and file.suffix != ".pyc"):
        digest.update(f"{file.relative_to(REPOSITORY)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def digest_of(*words: str) -> str:
    """Returns what stands for some words, short enough for a file's name."""
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:12]

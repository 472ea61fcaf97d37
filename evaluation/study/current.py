"""Tells which results the page may show: those that the study, run now, would not make anew."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from evaluation.study.plan import Dataset
from evaluation.study.result import DESCRIPTION, PHOTOS, Result, read_result
from training.choices import Scalar
from training.recipe import OPTIONS, Recipe

Found = tuple[Path, Result]


def read_current(directory: Path, dataset: Dataset, *, tell: Callable[[str], None]) -> list[Found]:
    """Returns (folder, result) of what the plan names for a data set, as studied with its settings and photos of today.

    Calls `tell(line)` for each result that is left out. Titles, numbers and kinds are those of the plan: they are
    words about a result, no part of what was measured.
    Raises ArtifactRefusedError if a result that the plan names is damaged.
    """
    folders = [path.parent for path in sorted(directory.glob(f"*/{DESCRIPTION}"))]
    named = {*dataset.every_entry, *dataset.baselines}
    # What the plan dropped is not even read: an older version may have written it in another format.
    found = [(folder, read_result(folder)) for folder in folders if folder.name in named]
    photos = _present_photos(directory, [result for _, result in found])
    reasons = {folder: "the plan names it no more" for folder in folders if folder.name not in named}
    reasons |= {folder: why for folder, result in found if (why := _outdated(result, dataset, photos))}
    for folder, why in sorted(reasons.items()):
        tell(f"left out of the page: {dataset.name}/{folder.name}, {why}")
    return [(folder, _as_planned(result, dataset)) for folder, result in found if folder not in reasons]


def settings_of(recipe: Recipe) -> dict[str, Scalar]:
    """Returns a recipe's settings as a result keeps them, its options among them."""
    settings = asdict(recipe)
    options = [settings.pop(name) for name in OPTIONS]
    return {**settings, **options[0], **options[1]}


def _present_photos(directory: Path, results: Sequence[Result]) -> str:
    """Returns the digest of the photos studied last; results of older versions have no record, there most decide."""
    record = directory / PHOTOS
    if record.exists():
        return record.read_text("utf-8").strip()
    return Counter(result.photos for result in results).most_common(1)[0][0] if results else ""


def _outdated(result: Result, dataset: Dataset, photos: str) -> str | None:
    """Returns why a result is not what the study would find now, None if it is."""
    if result.photos != photos:
        return "it was studied with other photos; run `firstseen study` again"
    entry = dataset.every_entry.get(result.entry)
    if entry is None:
        return None  # a baseline has no settings but its name
    planned = settings_of(entry.settings(dataset))
    trained = result.settings if result.settings is not None else {"dimension": result.dimension}
    changed = [name for name, value in sorted(trained.items()) if planned.get(name) != value]
    if not changed:
        return None
    words = ", ".join(f"{name} {trained[name]} (planned: {planned.get(name, 'none')})" for name in changed)
    return f"it was trained with {words}; run `firstseen study` again"


def _as_planned(result: Result, dataset: Dataset) -> Result:
    entry = dataset.every_entry.get(result.entry)
    return replace(result, title=entry.title, number=entry.number, kind=entry.kind) if entry else result

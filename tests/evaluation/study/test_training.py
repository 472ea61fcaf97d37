"""Trainings of the study: done once for the same settings and photos, and their losses kept through interruptions."""

from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.study import training
from evaluation.study.plan import DENSE, Dataset
from evaluation.study.training import train_once
from evaluation.study.workplace import Workplace
from tests.evaluation.study.made_photos import made_photos

DATASET = Dataset(name="made", training="source", test="test", size=16, channels=1, dimension=8, entries=())
ENTRY = replace(DENSE, changes={"dimension": 8, "epochs": 2})


@pytest.fixture
def trained(monkeypatch, tmp_path) -> list[str]:
    """The names of the encoders that were trained, by something that trains none."""
    names: list[str] = []

    def train(options, *, displays):
        for epoch in (1, 2):
            for display in displays:
                display.show_epoch(epoch, 0.5 / epoch, 0.6 / epoch)
        names.append(f"encoder-{len(names)}")
        Path(options.store).mkdir(exist_ok=True)
        return names[-1]

    monkeypatch.setattr(training, "train", train)
    monkeypatch.setattr(training, "list_encoders", lambda _store: list(names))
    return names


def test_the_same_training_is_done_once(trained, tmp_path):
    """Its record has the encoder, its parameters and the losses of its epochs."""
    place, photos = Workplace(tmp_path), made_photos()
    first = train_once(ENTRY, DATASET, photos, place)
    assert first.history == [[0.5, 0.6], [0.25, 0.3]]
    assert first.parameters > 1_000
    assert train_once(ENTRY, DATASET, photos, place) == first
    assert trained == [first.encoder_id]


def test_other_settings_photos_or_names_are_another_training(trained, tmp_path):
    """Each is trained for itself, and all records stay."""
    place, photos = Workplace(tmp_path), made_photos()
    train_once(ENTRY, DATASET, photos, place)
    train_once(replace(ENTRY, changes={**ENTRY.changes, "epochs": 3}), DATASET, photos, place)
    train_once(ENTRY, DATASET, replace(photos, test=photos.test + 1), place)
    train_once(replace(ENTRY, name="other"), DATASET, photos, place)
    assert len(set(trained)) == len(trained) == 4
    assert len(list(place.trainings.glob("*.json"))) == 4


def test_a_record_without_its_encoder_counts_for_nothing(trained, tmp_path):
    """Whoever removed the encoder wants it again."""
    place, photos = Workplace(tmp_path), made_photos()
    train_once(ENTRY, DATASET, photos, place)
    trained[0] = "removed"
    assert train_once(ENTRY, DATASET, photos, place).encoder_id == "encoder-1"


def test_a_damaged_record_counts_for_nothing(trained, tmp_path):
    """Half a record is no training."""
    place, photos = Workplace(tmp_path), made_photos()
    train_once(ENTRY, DATASET, photos, place)
    [record] = place.trainings.glob("*.json")
    record.write_text(record.read_text()[:20])
    train_once(ENTRY, DATASET, photos, place)
    assert len(trained) == 2


def test_an_encoder_is_trained_on_what_the_plan_says(monkeypatch, tmp_path):
    """Source, size, channels and changes reach the training; its state lies in the workplace."""
    asked = []

    def train(options, **_):
        asked.append(options)
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", train)
    place = Workplace(tmp_path, data_dir=tmp_path / "data")
    with pytest.raises(KeyboardInterrupt):
        train_once(ENTRY, DATASET, made_photos(), place)
    [options] = asked
    assert (options.source, options.recipe, options.seed) == ("source", "dense", training.SEED)
    assert options.overrides == {"size": 16, "channels": 1, "dimension": 8, "epochs": 2}
    assert (options.work_dir, options.photo_cache) == (place.trainings, place.photos)
    assert options.data_dir == tmp_path / "data"
    assert not list(place.trainings.glob("*.json"))


@pytest.mark.parametrize(
    ("lines", "losses"),
    [
        ("[1, 0.5, 0.6]\n[2, 0.4, 0.5]\n", [[0.5, 0.6], [0.4, 0.5]]),
        ("[1, 0.5, 0.6]\n[2, 0.4, 0.5]\n[2, 0.3, 0.4]\n", [[0.5, 0.6], [0.3, 0.4]]),
        ("[1, 0.5, 0.6]\n[2, 0.4, 0.5]\n[1, 0.9, 0.9]\n", [[0.9, 0.9]]),
        ("[1, 0.5, 0.6]\n[2, 0.4\n[2, 0.3, 0.4]\n", [[0.5, 0.6], [0.3, 0.4]]),
        ("[1, 0.5, 0.6]\n[2, 0.4, ", [[0.5, 0.6]]),
        ("", []),
    ],
)
def test_an_epoch_that_ran_twice_counts_once(tmp_path, lines, losses):
    """The later run counts, epochs after it are those of that run, and a torn line is none."""
    path = tmp_path / "epochs.jsonl"
    path.write_text(lines)
    assert training._read_epochs(path) == losses


def test_every_folder_of_a_study_lies_in_its_workplace(tmp_path):
    """Nothing is written beside it, and no two kinds of things share a folder."""
    place = Workplace(tmp_path)
    folders = {place.store, place.photos, place.trainings, place.results}
    assert len(folders) == 4
    assert {folder.parent for folder in folders} == {tmp_path}
    assert place.result("mnist", "dense@128") == tmp_path / "results" / "mnist" / "dense@128"
    assert place.photos_record("mnist").parent == place.result("mnist", "dense").parent

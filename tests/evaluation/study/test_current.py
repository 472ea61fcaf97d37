"""What the page may show: results of the plan, of its settings and of the present photos; the others are named."""

from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.study.current import read_current, settings_of
from evaluation.study.page import write_page
from evaluation.study.plan import COLOUR, DEFAULT_ENTRY, Dataset, every_dataset
from evaluation.study.result import DESCRIPTION, PHOTOS
from evaluation.study.studied import read_studied
from firstseen.commands.running import run
from foundation.errors import ArtifactRefusedError, InputNotFoundError
from tests.evaluation.study.made_results import made_baseline, made_plan, made_result, write_results

MNIST: Dataset = made_plan()[0]


def shown(directory: Path, dataset: Dataset = MNIST) -> tuple[set[str], list[str]]:
    """Returns the entries that the page shows of a data set, and the lines about the others."""
    told: list[str] = []
    found = read_current(directory / dataset.name, dataset, tell=told.append)
    return {result.entry for _, result in found}, told


def trained(entry: str, **changes: object) -> dict[str, object]:
    """Returns the settings of an entry's training as planned, but for the changes."""
    planned = MNIST.every_entry[entry]
    return {**settings_of(planned.settings(MNIST)), **changes}


def test_an_entry_that_the_plan_dropped_is_left_out(tmp_path):
    """Neither a table nor a picture shows it, and the line says why."""
    write_results(tmp_path, [made_result("dense"), made_result("transformer"), made_baseline("fourier")])
    entries, told = shown(tmp_path)
    assert entries == {"dense"}
    assert told == [
        "left out of the page: mnist/fourier, the plan names it no more",
        "left out of the page: mnist/transformer, the plan names it no more",
    ]


def test_what_the_plan_dropped_may_be_damaged(tmp_path):
    """It is not read; what the plan names is, and refused."""
    write_results(tmp_path, [made_result("dense"), made_result("transformer")])
    (tmp_path / "mnist" / "transformer" / DESCRIPTION).write_text("{}")
    assert shown(tmp_path)[0] == {"dense"}
    (tmp_path / "mnist" / "dense" / DESCRIPTION).write_text("{}")
    with pytest.raises(ArtifactRefusedError, match=r"mnist/dense/result\.json is damaged"):
        shown(tmp_path)


def test_a_result_of_other_settings_is_left_out(tmp_path):
    """The line says which setting it was trained with, and which is planned."""
    results = [
        made_result("dense", settings=trained("dense", epochs=9)),
        made_result("recurrent", settings=trained("recurrent")),
    ]
    write_results(tmp_path, results)
    entries, told = shown(tmp_path)
    assert entries == {"recurrent"}
    assert told == [
        "left out of the page: mnist/dense, it was trained with epochs 9 (planned: 4); run `firstseen study` again"
    ]


@pytest.mark.parametrize(("option", "value"), [("hidden", "99"), ("gone", 1), ("learning_rate", 0.5)])
def test_every_setting_counts(tmp_path, option, value):
    """Options of the architecture, options that it has no more, and numbers."""
    write_results(tmp_path, [made_result("dense", settings=trained("dense", **{option: value})), made_baseline("pca")])
    entries, told = shown(tmp_path)
    assert entries == {"pca"}
    assert f"{option} {value} (planned: " in told[0]


def test_older_results_tell_their_dimension(tmp_path):
    """They kept no settings: another dimension is another network all the same."""
    write_results(tmp_path, [made_result("dense", dimension=32), made_result("recurrent")])
    assert shown(tmp_path)[0] == {"recurrent"}


def test_other_photos_are_left_out_by_the_record(tmp_path):
    """The photos of the last study count, however few of its results there are."""
    results = [made_result("dense"), made_result("recurrent"), made_result("attention", photos="new")]
    write_results(tmp_path, results)
    (tmp_path / "mnist" / PHOTOS).write_text("new\n")
    entries, told = shown(tmp_path)
    assert entries == {"attention"}
    assert told[0] == "left out of the page: mnist/dense, it was studied with other photos; run `firstseen study` again"


def test_without_a_record_most_results_decide(tmp_path):
    """Results of older versions have none."""
    write_results(tmp_path, [made_result("dense"), made_result("recurrent"), made_result("attention", photos="old")])
    assert shown(tmp_path)[0] == {"dense", "recurrent"}


def test_words_come_from_the_plan(tmp_path):
    """A title that was changed since the study needs no new training."""
    colour = next(dataset for dataset in every_dataset() if dataset.name == COLOUR)
    made = made_result(DEFAULT_ENTRY.name, dataset=COLOUR, dimension=512, title="of old", kind="autoencoder", number=3)
    write_results(tmp_path, [made])
    [(folder, result)] = read_current(tmp_path / COLOUR, colour, tell=pytest.fail)
    assert folder == tmp_path / COLOUR / DEFAULT_ENTRY.name
    assert result == replace(made, title=DEFAULT_ENTRY.title, kind=DEFAULT_ENTRY.kind, number=DEFAULT_ENTRY.number)


def test_nothing_but_outdated_results_is_nothing(tmp_path):
    """There is no page of what the study would make anew."""
    told: list[str] = []
    write_results(tmp_path, [made_result("transformer"), made_result("dense", dataset="cifar")])
    with pytest.raises(InputNotFoundError, match="holds no results of the plan"):
        read_studied(tmp_path, made_plan(), tell=told.append)
    assert told[0] == "left out of the page: cifar, no data set of the plan"
    assert len(told) == 2


def test_the_page_shows_no_outdated_entry(tmp_path):
    """Not in the tables, not in the sentences, not in the pictures' words."""
    told: list[str] = []
    write_results(
        tmp_path / "results", [made_result("dense"), made_result("recurrent", photos="old"), made_baseline("pca")]
    )
    write_page(tmp_path / "results", tmp_path / "page", datasets=made_plan(), tell=told.append)
    text = (tmp_path / "page" / "README.md").read_text()
    assert "fully connected" in text
    assert "LSTM" not in text
    assert len(told) == 1


def test_settings_are_flat():
    """Options stand beside the other settings, as a command line takes them."""
    settings = settings_of(MNIST.every_entry["dense"].settings(MNIST))
    assert settings["hidden"]
    assert settings["epochs"] == 4
    assert "options" not in settings


def test_the_command_says_on_stderr_what_its_page_leaves_out(tmp_path, capsys):
    """`--page-only` needs neither sources nor trainings, and knows the plan of every data set, photographs too."""
    colour = made_result("colour", dataset=COLOUR, dimension=512)
    write_results(tmp_path / "work" / "results", [colour, made_result("dense"), made_result("transformer")])
    page = ["--work-dir", str(tmp_path / "work"), "--output", str(tmp_path / "page")]
    assert run(["study", "--page-only", *page]) == 0
    captured = capsys.readouterr()
    assert "left out of the page: mnist/transformer, the plan names it no more" in captured.err
    assert captured.out == ""
    text = (tmp_path / "page" / "README.md").read_text()
    assert text.index("## Photographs") < text.index("## MNIST")

"""Tests the verbs that measure encoders and the product."""

import sys

from firstseen.commands.running import run
from tests.photos import write_archive


def test_study_refuses_an_unknown_data_set_before_any_work(tmp_path, capsys):
    """A misspelt data set is answered with the names there are."""
    assert run(["study", "--dataset", "minst", "--work-dir", str(tmp_path / "work")]) == 2
    assert "no data set 'minst' in the study; expected one of: mnist, fashion_mnist" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


def test_page_of_a_study_that_was_not_run(tmp_path, capsys):
    """Without results there is no page; the error says how to get some."""
    page = ["--page-only", "--work-dir", str(tmp_path / "work"), "--output", str(tmp_path / "page")]
    assert run(["study", *page]) == 4
    assert "firstseen study" in capsys.readouterr().err
    assert not (tmp_path / "page").exists()


def test_study_without_its_libraries_names_them(monkeypatch, capsys):
    """The extra that is missing is a usage error, not a traceback."""
    monkeypatch.setitem(sys.modules, "evaluation.study.page", None)
    assert run(["study"]) == 2
    assert "pip install '.[cpu,study]'" in capsys.readouterr().err


def test_copies_without_photos_says_what_is_missing(capsys):
    """Neither photos nor a page to write."""
    assert run(["evaluate", "copies"]) == 2
    assert "--photos is missing; expected a folder of photos, or --page-only" in capsys.readouterr().err


def test_an_encoder_to_compare_needs_its_store(capsys):
    """The shipped encoder is in no store where another one could be."""
    assert run(["evaluate", "copies", "--photos", "photos", "--compare", "other"]) == 2
    assert "expected --store too" in capsys.readouterr().err


def test_made_edits_without_an_original_are_refused_before_any_work(tmp_path, capsys):
    """One line names the folder, and nothing was encoded."""
    for name in ("photos", "made"):
        write_archive(tmp_path / name, photos=1)
    folders = ["--photos", str(tmp_path / "photos"), "--work-dir", str(tmp_path / "work")]
    assert run(["evaluate", "copies", *folders, "--made-edits", str(tmp_path / "made")]) == 4
    assert "made/2019 holds 0 usable photos called original and 1 others; expected one" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


def test_page_of_an_evaluation_that_was_not_run(tmp_path, capsys):
    """Without results there is no page; the error says how to get some."""
    assert run(["evaluate", "copies", "--page-only", "--output", str(tmp_path)]) == 4
    assert "firstseen evaluate copies --photos DIR" in capsys.readouterr().err


def test_copies_without_its_libraries_names_them(monkeypatch, capsys):
    """The extra that is missing is a usage error, not a traceback."""
    monkeypatch.setitem(sys.modules, "evaluation.copies.page", None)
    assert run(["evaluate", "copies", "--photos", "photos"]) == 2
    assert "pip install '.[cpu,study]'" in capsys.readouterr().err

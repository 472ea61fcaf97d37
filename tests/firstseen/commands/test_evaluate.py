"""Tests the verb that measures encoders."""

import sys

from firstseen.commands.running import run


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

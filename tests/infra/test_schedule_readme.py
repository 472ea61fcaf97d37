"""The page about schedules: its exit codes, its files and the metrics of its alerts are those of the project."""

import re

from firstseen.commands.interruption import EXIT_CODE
from firstseen.commands.metrics import METRICS
from tests.conftest import REPOSITORY
from tests.infra.command_line import FINAL, RETRIED

FOLDER = REPOSITORY / "infra" / "schedule"
PAGE = (FOLDER / "README.md").read_text()


def test_every_exit_code_has_a_row():
    """Those of the errors, of success and of an interruption, each once."""
    rows = re.findall(r"^\| ([\d, ]+) \|", PAGE, re.MULTILINE)
    codes = [int(code) for row in rows for code in row.split(",")]
    assert sorted(codes) == sorted({0, EXIT_CODE, *FINAL, *RETRIED})


def test_alerts_ask_for_metrics_that_there_are():
    """A renamed metric would never alert again."""
    asked = re.findall(r"\bfirstseen_\w+", PAGE.partition("groups:")[2])
    assert len(asked) == 3
    assert set(asked) <= METRICS.keys()


def test_files_that_are_copied_are_there():
    """Every file below infra/schedule that the page names."""
    named = set(re.findall(r"infra/schedule/([\w@./-]+)", PAGE))
    assert named
    for name in named:
        assert (FOLDER / name).exists(), name

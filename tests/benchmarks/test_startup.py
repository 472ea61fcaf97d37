"""The benchmark of start-up: stages are told apart, and each is counted once."""

import builtins
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks import startup
from benchmarks.scaled import stages
from benchmarks.scaled.stages import COMMAND_LINE, IMPORT, STAGES, Stages

SHORT = 0.02


def test_a_stage_within_a_stage_is_not_counted_twice() -> None:
    """What the inner one takes is not the outer one's, and what is no stage's is the command line's."""
    started, measured = time.perf_counter(), Stages()
    with measured.stage("outer"):
        time.sleep(SHORT)
        with measured.stage("inner"):
            time.sleep(3 * SHORT)
    found = {name: seconds for name, (seconds, _, _) in measured.settle().items()}
    assert found["outer"] >= SHORT
    assert found["inner"] >= 3 * SHORT
    assert found["outer"] + found["inner"] + found[COMMAND_LINE] <= time.perf_counter() - started


def test_functions_and_imports_are_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A function by its module and name, also one of a class; an import wherever it happens."""
    module = ModuleType("slow_module")
    module.Slow = type("Slow", (), {"work": lambda _: time.sleep(SHORT)})
    monkeypatch.setitem(sys.modules, "slow_module", module)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "slow_import.py").write_text(f"import time\ntime.sleep({SHORT})\n")
    monkeypatch.setattr(builtins, "__import__", builtins.__import__)
    measured = Stages()
    stages.watch(measured, "working", "slow_module:Slow.work")
    stages.watch_imports(measured)
    module.Slow().work()
    import slow_import  # noqa: F401

    found = measured.settle()
    assert found["working"][0] >= SHORT
    assert found[IMPORT][0] >= SHORT


def test_every_stage_of_a_lookup_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions are named in text: one that was renamed would be missed."""
    for name, functions in STAGES.items():
        for function in functions:
            module, _, path = function.partition(":")
            owner, _, attribute = path.rpartition(".")
            loaded = __import__(module, fromlist=["*"])
            monkeypatch.setattr(getattr(loaded, owner) if owner else loaded, attribute, None)
            assert name


def test_a_command_is_measured() -> None:
    """It takes time and memory, and one that fails ends the benchmark with what it said."""
    found = startup.run("-c", "pass")
    assert found.seconds > 0
    assert found.peak_bytes > 1e6
    with pytest.raises(SystemExit, match="ended with 3: no"):
        startup.run("-c", "import sys; sys.stderr.write('no'); sys.exit(3)")

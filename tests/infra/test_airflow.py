"""The DAG: imported by Airflow in an environment of its own where there is one, by stand-ins everywhere."""

import ast
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.infra.command_line import FINAL, parse

DAG_FILE = REPOSITORY / "infra" / "schedule" / "airflow" / "firstseen_reindex.py"
# Airflow and Beam do not go together in one environment.
AIRFLOW = Path(os.environ.get("FIRSTSEEN_AIRFLOW_PYTHON", REPOSITORY / ".venv-airflow" / "bin" / "python"))
INSPECT = """
import json, sys
from airflow.dag_processing.dagbag import DagBag

bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
dag = bag.dags["firstseen_reindex"]
made = type(dag.tasks[0])

def outcome(code):
    task = made(task_id=f"exit_{code}", arguments=[])
    task.bash_command = f"exit {code}"
    try:
        task.execute({})
    except Exception as error:
        return type(error).__name__
    return "success"

tasks = [
    {"command": task.bash_command, "retries": task.retries, "env": task.env, "upstream": sorted(task.upstream_task_ids)}
    for task in dag.tasks
]
outcomes = {code: outcome(code) for code in (0, 1, 2, 3, 4, 5, 6, 75, 130)}
found = {"tasks": tasks, "outcomes": outcomes, "active": [dag.max_active_runs, dag.max_active_tasks]}
print("FOUND" + json.dumps(found | {"catchup": dag.catchup}))
"""


@pytest.mark.skipif(
    not AIRFLOW.exists(),
    reason="no Airflow: python3.11 -m venv .venv-airflow && .venv-airflow/bin/pip install apache-airflow",
)
def test_airflow_imports_the_dag_and_retries_what_may_get_better(tmp_path: Path):
    """Final exit codes fail a task for good; 6, 75 and what stops it are tried again; archives take turns."""
    environment = {"PATH": os.environ["PATH"], "AIRFLOW_HOME": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(
        [AIRFLOW, "-c", INSPECT, DAG_FILE.parent], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("FOUND")]
    found = json.loads(line.removeprefix("FOUND"))
    for task in found["tasks"]:
        assert parse(task["command"])[0] == "reindex"
        assert (task["retries"], task["upstream"]) == (3, [])
        assert task["env"] == {"FIRSTSEEN_LOG_FORMAT": "json"}
    assert (found["active"], found["catchup"]) == ([1, 1], False)
    expected = {**dict.fromkeys(FINAL, "AirflowFailException"), **dict.fromkeys((6, 75, 130), "AirflowException")}
    assert found["outcomes"] == {"0": "success", **{str(code): name for code, name in expected.items()}}
    assert "deprecated" not in done.stdout + done.stderr


class StandIn:
    """A DAG or an operator that only notes what it is made with."""

    made: list["StandIn"]

    def __init__(self, *_: object, **options: Any):
        self.options = options
        type(self).made.append(self)

    def __enter__(self) -> "StandIn":
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> dict[str, type[StandIn]]:
    """Modules in the place of Airflow's, with what the DAG imports of them."""
    names = {
        "airflow.sdk": ["DAG"],
        "airflow.sdk.exceptions": ["AirflowFailException", "AirflowSkipException"],
        "airflow.providers.standard.operators.bash": ["BashOperator"],
    }
    kinds: dict[str, type[StandIn]] = {}
    for module, members in names.items():
        monkeypatch.setitem(sys.modules, module, ModuleType(module))
        for name in members:
            kinds[name] = type(name, (StandIn,), {"made": []})
            setattr(sys.modules[module], name, kinds[name])
    return kinds


def test_firstseen_takes_the_command_line_of_every_task(stand_ins: dict[str, type[StandIn]]):
    """One task an archive, all of one store."""
    spec = importlib.util.spec_from_file_location("firstseen_reindex", DAG_FILE)
    assert spec and spec.loader  # noqa: PT018 (mypy)
    dag = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(dag)
    parsed = [parse(task.options["bash_command"]) for task in stand_ins["BashOperator"].made]
    assert [verb for verb, _ in parsed] == ["reindex", "reindex"]
    assert [options["archive"] for _, options in parsed] == list(dag.ARCHIVES.values())
    assert {options["store"] for _, options in parsed} == {dag.STORE}
    assert set(dag.FINAL_EXIT_CODES) == FINAL


def test_the_dag_is_parsed_at_once():
    """Airflow reads it every half a minute: it imports the standard library and Airflow alone."""
    nodes = [
        node for node in ast.walk(ast.parse(DAG_FILE.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    imported = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in nodes}
    assert {str(name).partition(".")[0] for name in imported} <= sys.stdlib_module_names | {"airflow"}

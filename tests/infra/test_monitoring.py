"""The dashboard, the scrape and the alerts: every metric and label that they ask for is one of the service."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import combinations

import pytest

from firstseen.commands.metrics import METRICS as METRICS_OF_JOBS
from serving.http.metrics import Metrics
from serving.http.options import ServeOptions
from tests.infra.serve_files import FOLDER, metrics, read_yaml

DASHBOARD = json.loads((FOLDER / "grafana" / "dashboard.json").read_text())
ALERTS = FOLDER / "prometheus" / "alerts.yaml"
(SCRAPE,) = read_yaml(FOLDER / "prometheus" / "scrape.yaml")["scrape_configs"]
(GROUP,) = read_yaml(ALERTS)["groups"]
SERIES = metrics()
# What Prometheus itself adds to each series.
ADDED = {"job", "instance"}


def expressions() -> Iterator[str]:
    """Yields every question to Prometheus."""
    yield from (target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])
    yield from (rule["expr"] for rule in GROUP["rules"])
    yield from (variable["query"]["query"] for variable in DASHBOARD["templating"]["list"][1:])


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_metrics_and_labels_are_those_of_the_service(expression: str):
    """A renamed one would show an empty panel, and never alert again."""
    asked = set(re.findall(r"\b(?:firstseen|process)_\w+|\bup\b", expression))
    assert asked
    assert asked - {"up"} <= SERIES.keys()
    known = ADDED.union(*(SERIES.get(name, set()) for name in asked))
    assert set(re.findall(r"(\w+)\s*=~?\"|(\w+)\s*!=\"", expression)) <= {
        pair for label in known for pair in ((label, ""), ("", label))
    }
    for labels in re.findall(r"\bby \(([^)]*)\)", expression):
        assert {label.strip() for label in labels.split(",")} <= known


def test_every_metric_of_the_service_is_shown():
    """What is measured and looked at nowhere is no use; what the process tells of itself may be left out."""
    shown = " ".join(target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])
    own = {re.sub("_(bucket|sum|count|created)$", "", name) for name in SERIES if name.startswith("firstseen_")}
    assert {name for name in own if name not in shown} == set()


def test_the_first_refused_snapshot_is_an_increase():
    """Prometheus sees none in a series that begins with 1."""
    (rule,) = [rule for rule in GROUP["rules"] if rule["alert"] == "FirstseenSnapshotRefused"]
    (series,) = re.findall(r"increase\((\w+\{[^}]*\})", rule["expr"])
    assert f"{series} 0.0\n" in Metrics().text().decode()


def test_the_service_has_names_of_its_own():
    """The metrics of jobs, which node_exporter tells, are others."""
    assert not SERIES.keys() & METRICS_OF_JOBS.keys()


def test_panels_are_whole_and_do_not_overlap():
    """Each has a number, a title, a unit and a place of its own within 24 columns."""
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in panels)
    cells = [
        {
            (column, row)
            for column in range(place["x"], place["x"] + place["w"])
            for row in range(place["y"], place["y"] + place["h"])
        }
        for place in (panel["gridPos"] for panel in panels)
    ]
    assert all(not one & other for one, other in combinations(cells, 2))
    assert max(column for cell in cells for column, _ in cell) < 24


def test_panels_ask_the_chosen_source_for_the_chosen_services():
    """The dashboard is imported anywhere: nothing names a source, a job or a machine."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert target["expr"].count("{") == target["expr"].count('job=~"$job", instance=~"$instance"')
    assert {variable["name"] for variable in DASHBOARD["templating"]["list"]} == {"datasource", "job", "instance"}


def test_the_scrape_asks_where_the_service_tells():
    """Its path and port, with a key, under the job that an alert names."""
    assert SCRAPE["metrics_path"] == "/metrics"
    assert SCRAPE["static_configs"] == [{"targets": [f"127.0.0.1:{ServeOptions().port}"]}]
    assert SCRAPE["authorization"].keys() == {"credentials_file"}
    named = {job for expression in expressions() for job in re.findall(r'job="([^"]+)"', expression)}
    assert named == {SCRAPE["job_name"]}


def test_alerts_say_what_is_wrong():
    """Each once, in one line, for the machine that it is about."""
    names = [rule["alert"] for rule in GROUP["rules"]]
    assert len(set(names)) == len(names)
    for rule in GROUP["rules"]:
        summary = rule["annotations"]["summary"]
        assert "\n" not in summary
        assert re.search(r"\$labels\.(instance|job)", summary) or "by (" not in rule["expr"]


@pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool: apt install prometheus")
@pytest.mark.parametrize("words", [("check", "rules", ALERTS), ("test", "rules", ALERTS.with_name("alerts_test.yaml"))])
def test_prometheus_takes_the_alerts(words: tuple):
    """Its own check of every expression; and they fire for a service that is not well, and for no other."""
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

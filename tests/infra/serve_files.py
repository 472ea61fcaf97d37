"""Reads the files of infra/serve, and what they name of the program: its options, its routes and its metrics."""

from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from serving.http.metrics import Metrics
from serving.match.match import Outcome
from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "infra" / "serve"
PROBES = ("/livez", "/readyz")
USER = 65532


class _Once(yaml.SafeLoader):
    """A name that stands twice in one block would be lost, and fails."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Returns the block."""
        names = [self.construct_object(key) for key, _ in node.value]
        assert len(set(names)) == len(names), f"{names} names one twice"
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """Returns the one document of a YAML file."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Once)  # noqa: S506 (it is a safe one)


def metrics() -> dict[str, set[str]]:
    """Returns every series of the service with the names of its labels, as Prometheus reads them."""
    told = Metrics()
    told.answered("/v1/lookup", 503, 1.0, "busy")
    told.stage("decode", 1.0)
    told.batch(1)
    told.outcome(Outcome("query.jpg", "rejected", "corrupt: it is cut off"))
    told.swap("swapped")
    told.watch(_Live())
    families = text_string_to_metric_families(told.text().decode())
    series: dict[str, set[str]] = {}
    for sample in (sample for family in families for sample in family.samples):
        series.setdefault(sample.name, set()).update(sample.labels)
    return series


class _Live:
    """A live searcher that only says how it stands."""

    def state(self) -> SimpleNamespace:
        """As `LiveState`."""
        return SimpleNamespace(is_ready=True, live=7, loaded=(7,), queue_queries=0, lists_age_seconds=1.0)

    @contextmanager
    def hold(self):
        """As `LiveSearcher.hold`."""
        yield SimpleNamespace(snapshot=SimpleNamespace(created_at="2026-01-02T03:04:05+00:00"))

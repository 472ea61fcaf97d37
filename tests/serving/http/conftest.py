"""A service that the tests of this folder share."""

from collections.abc import Iterator

import pytest

from tests.conftest import Desk
from tests.serving.http.running import Running, running


@pytest.fixture(scope="session")
def service(live_desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service of the store that all tests share, with limits small enough to be met."""
    log = tmp_path_factory.mktemp("service") / "log"
    limits = ["--max-body-bytes", "2000000", "--max-images", "8", "--body-seconds", "2", "--header-seconds", "2"]
    with running(live_desk.store, log, *limits, "--allow-uri", str(live_desk.archive)) as started:
        yield started

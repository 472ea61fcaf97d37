"""What the packages import is declared: nothing is there only because another library happens to bring it."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGES = ("evaluation", "firstseen", "foundation", "pipelines", "serving", "training")


def imported(package: str) -> set[str]:
    """Returns the libraries that the modules of a package import, wherever in a module."""
    names = set()
    for path in (REPOSITORY / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add((node.module or "").partition(".")[0])
    return names - set(PACKAGES) - sys.stdlib_module_names


def normalised(name: str) -> str:
    """Returns the name of a distribution as indexes write it."""
    return re.sub("[-_.]+", "-", name).lower()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_imported_library_is_declared(package: str):
    """A library that another one brings is gone as soon as that one does without it."""
    declared = {normalised(name) for name in re.findall(r'"([\w.-]+)', (REPOSITORY / "setup.py").read_text("utf-8"))}
    distributions = packages_distributions()
    for library in imported(package):
        names = {normalised(name) for name in distributions.get(library, [library])}
        assert names & declared, f"{package} imports {library}, which setup.py does not declare"

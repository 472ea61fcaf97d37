"""Who may import whom: the rules of the code layout, read off the source."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGES = ("training", "pipelines", "serving")
MODULES = sorted(path for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py"))

# What every layer stands on: errors, the store, the descriptions of artifacts, and the decoder.
FOUNDATION = {"training.errors", "training.store", "training.artifact", "training.encoder_spec", "training.photo"}
CONTRACTS = {"pipelines.embedding_schema", "pipelines.index_manifest", "pipelines.distance"}
# An encoder is loaded the same way by training's export, by the pipelines and by serving.
LOADER = {"training.saved_encoder"}

ALLOWED = {
    "training": lambda module: module.startswith("training"),
    "pipelines": lambda module: module.startswith("pipelines") or module in FOUNDATION | LOADER,
    "serving": lambda module: module.startswith("serving") or module in FOUNDATION | LOADER | CONTRACTS,
}
LIGHT = {"numpy", "pyarrow", "obstore", "pydantic"}


def name_of(path: Path) -> str:
    """Returns the dotted name of a module."""
    return ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path, *, top_level: bool = False) -> Iterator[str]:
    """Yields the modules that a file imports; `from package import module` counts as the module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                dotted = f"{node.module}.{alias.name}"
                is_module = (REPOSITORY / dotted.replace(".", "/")).with_suffix(".py").exists()
                yield dotted if is_module else node.module


def is_own(module: str) -> bool:
    """Returns whether a module is the project's."""
    return module.split(".")[0] in {*PACKAGES, "firstseen", "tests", "benchmarks", "infra"}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_packages_import_only_what_their_layer_may(path: Path):
    """Training stands alone; pipelines see its foundation; serving sees that and the contracts."""
    package = name_of(path).split(".")[0]
    forbidden = [module for module in imports(path) if is_own(module) and not ALLOWED[package](module)]
    assert forbidden == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_heavy_libraries_stay_where_they_belong(path: Path):
    """Beam only under pipelines; ScaNN only where segments are built and searched; TensorFlow never at the top
    of a module outside training."""
    name = name_of(path)
    found = {module.split(".")[0] for module in imports(path)}
    if not name.startswith("pipelines"):
        assert "apache_beam" not in found
    if name not in ("pipelines.build_segment", "serving.segment"):
        assert "scann" not in found
    if not name.startswith("training") or name in FOUNDATION | LOADER:
        top = {module.split(".")[0] for module in imports(path, top_level=True)}
        assert not top & {"tensorflow", "keras", "tensorflow_datasets"}


@pytest.mark.parametrize("name", sorted((FOUNDATION | CONTRACTS) - {"training.photo"}))
def test_contract_modules_are_light(name: str):
    """Contracts import the standard library, numpy, pyarrow, pydantic and the store's filesystem layer, no more."""
    path = (REPOSITORY / name.replace(".", "/")).with_suffix(".py")
    third_party = {module.split(".")[0] for module in imports(path) if not is_own(module)}
    assert third_party - set(sys.stdlib_module_names) <= LIGHT


def test_package_files_stay_empty():
    """Importing a package runs nothing."""
    assert [path for path in MODULES if path.name == "__init__.py" and path.read_text()] == []


def test_nobody_imports_the_command_line():
    """firstseen.py is the top: only its tests may see it."""
    users = [name_of(path) for path in MODULES if "firstseen" in {m.split(".")[0] for m in imports(path)}]
    assert users == []

"""Who may import whom: one table of the code layout, held against the source."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]

# What the modules of a package, or of a part of it, may import of the project beside that package itself. The longest
# name that a module's own begins with counts. An arrow only goes to a layer further down:
# foundation ← training | serving ← pipelines ← evaluation ← firstseen.
MAY_IMPORT: dict[str, set[str]] = {
    "foundation": set(),
    "training": {"foundation"},
    "serving": {"foundation"},
    "pipelines": {"foundation", "serving"},
    "evaluation": {"foundation", "training", "serving", "pipelines"},
    "firstseen": {"foundation", "training", "serving", "pipelines", "evaluation"},
}
# Inside the foundation too: a module stands only on those named here.
FOUNDATION: dict[str, set[str]] = {
    "foundation.errors": set(),
    "foundation.checks": {"foundation.errors"},
    "foundation.files": {"foundation.errors"},
    "foundation.objects": {"foundation.errors"},
    "foundation.csv_rows": set(),
    "foundation.csv_tables": {"foundation.errors"},
    "foundation.memory": {"foundation.errors"},
    "foundation.stderr": set(),
    "foundation.without_pandas": set(),
    "foundation.wording": set(),
    "foundation.vectors": {"foundation.errors", "foundation.checks"},
    "foundation.photos": {"foundation.errors", "foundation.checks"},
    "foundation.date_columns": {"foundation.photos"},
    "foundation.archives": {
        "foundation.errors",
        "foundation.checks",
        "foundation.csv_tables",
        "foundation.date_columns",
        "foundation.objects",
        "foundation.photos",
    },
    "foundation.store": {
        "foundation.errors",
        "foundation.checks",
        "foundation.files",
        "foundation.objects",
        "foundation.wording",
    },
    "foundation.models": {"foundation.errors", "foundation.stderr"},
    "foundation.encoder": {
        "foundation.errors",
        "foundation.checks",
        "foundation.models",
        "foundation.photos",
        "foundation.store",
    },
}
# Libraries that cost seconds to import, or that only some parts may know.
ONLY_UNDER: dict[str, tuple[str, ...]] = {
    "apache_beam": ("pipelines",),
    "keras": ("training", "evaluation"),
    "scann": ("pipelines.index", "serving.search"),
    "matplotlib": ("evaluation",),
    "sklearn": ("evaluation", "firstseen.demo"),
    "skimage": ("evaluation", "firstseen.demo"),
    "typer": ("firstseen",),
    "fastapi": ("serving.http",),
    "starlette": ("serving.http",),
    "granian": ("serving.http",),
}
# Never at the top of these: what does without TensorFlow must not wait seven seconds for it.
TENSORFLOW = {"tensorflow", "keras", "tensorflow_datasets"}
TENSORFLOW_AT_THE_TOP = ("training", "evaluation")
# A contract is read by everybody, `status` included: it stands on light libraries alone.
CONTRACTS = (*sorted((REPOSITORY / "foundation" / "store").glob("*.py")), REPOSITORY / "serving" / "answers.py")
LIGHT = {"numpy", "pyarrow", "obstore", "pydantic"}

MODULES = sorted(path for package in MAY_IMPORT for path in (REPOSITORY / package).rglob("*.py"))


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


def is_in(module: str, packages: Iterator[str] | set[str] | tuple[str, ...]) -> bool:
    """Returns whether a module is one of the packages, or lies in one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def own_imports(path: Path) -> list[str]:
    """Returns the project's modules that a file imports."""
    return [module for module in imports(path) if is_in(module, {*MAY_IMPORT, "tests", "benchmarks", "infra"})]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_packages_import_only_what_their_layer_may(path: Path):
    """An arrow only goes down: no package knows one above it, and nobody imports tests or benchmarks."""
    package = name_of(path).split(".")[0]
    assert [module for module in own_imports(path) if not is_in(module, {package, *MAY_IMPORT[package]})] == []


@pytest.mark.parametrize("path", [path for path in MODULES if name_of(path).startswith("foundation.")], ids=name_of)
def test_foundation_modules_stand_only_on_what_the_table_names(path: Path):
    """A module of the foundation that is missing in the table, or that knows another part, fails."""
    name = name_of(path)
    (part,) = [part for part in FOUNDATION if is_in(name, {part})]
    assert [module for module in own_imports(path) if not is_in(module, {part, *FOUNDATION[part]})] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_heavy_libraries_stay_where_they_belong(path: Path):
    """Beam only under pipelines, ScaNN where segments are built and searched, TensorFlow at the top of training."""
    name = name_of(path)
    found = {module.split(".")[0] for module in imports(path)}
    assert {library for library in found & ONLY_UNDER.keys() if not is_in(name, ONLY_UNDER[library])} == set()
    if not is_in(name, TENSORFLOW_AT_THE_TOP):
        assert not {module.split(".")[0] for module in imports(path, top_level=True)} & TENSORFLOW


@pytest.mark.parametrize("path", CONTRACTS, ids=name_of)
def test_contract_modules_are_light(path: Path):
    """Contracts import the standard library, numpy, pyarrow, pydantic and the store's filesystem layer, no more."""
    third_party = {module.split(".")[0] for module in imports(path)} - set(own_imports(path)) - MAY_IMPORT.keys()
    assert third_party - set(sys.stdlib_module_names) <= LIGHT


def test_package_files_stay_empty():
    """Importing a package runs nothing; `firstseen`, which people import, is the exception."""
    written = [name_of(path) for path in MODULES if path.name == "__init__.py" and path.read_text()]
    assert set(written) <= {"firstseen"}

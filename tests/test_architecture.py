"""The house stands as drawn: imports fall only, wings never touch, the core is pure, nobody grows too large."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for top in ("drivers", "gateway") for path in (ROOT / top).rglob("*.py"))

# Storeys of the gateway, lowest first; a file may import its own storey (within its own wing) and lower ones.
STOREYS = ("core", "runtime", "wings", "app", "demo", "cli")
WINGS = ("services", "vision", "desk", "terminal")
IMPURE = {
    "asyncio", "ctypes", "datetime.now", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random",
    "secrets", "select", "selectors", "signal", "socket", "sqlite3", "aiosqlite", "ssl", "subprocess", "threading",
    "time", "urllib",
}  # fmt: skip
CONTRACT = {"drivers.api", "drivers.figures"}  # what drivers and whoever listens to them agree on
MOST_LINES = 350
MOST_LINES_OF_A_FUNCTION = 50


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) of everything a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield node.lineno, name if _is_module(name) else str(node.module)


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def own_imports(path: Path) -> Iterator[tuple[int, str]]:
    return (
        (line, name) for line, name in imports(path) if name.split(".")[0] in {"drivers", "gateway", "tests"}
    )


def storey(module: str) -> int:
    second = [*module.split("."), ""][1].replace("__main__", "cli")
    if second in WINGS:
        return STOREYS.index("wings")
    return STOREYS.index(second) if second in STOREYS else STOREYS.index("app")


def wing(module: str) -> tuple[str, ...]:
    """Return what a module of a wing may touch: its own wing, in services even its own file or package only."""
    parts = module.split(".")
    return tuple(parts[:3]) if parts[1] == "services" else tuple(parts[:2])


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_imports_fall_only(path: Path) -> None:
    me = module_name(path)
    for line, name in own_imports(path):
        where = f"{path.relative_to(ROOT)}:{line} imports {name}"
        assert not name.startswith("tests"), where
        if me.startswith("drivers"):
            assert name.startswith("drivers"), f"{where}: drivers never import the gateway"
        elif name.startswith("gateway."):
            assert storey(name) <= storey(me), f"{where}: that is further up the house"


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_wings_never_touch_one_another(path: Path) -> None:
    me = module_name(path)
    if not me.startswith("gateway.") or me.split(".")[1] not in WINGS or me.count(".") == 1:
        return
    for line, name in own_imports(path):
        if name.startswith("gateway.") and name.split(".")[1] in WINGS:
            assert wing(name) == wing(me), f"{path.relative_to(ROOT)}:{line} imports {name}, another wing"


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if "core" in path.relative_to(ROOT).parts], ids=module_name
)
def test_the_core_is_pure(path: Path) -> None:
    for line, name in imports(path):
        where = f"{path.relative_to(ROOT)}:{line} imports {name}"
        assert name.split(".")[0] not in IMPURE, f"{where}: no asyncio, files, clock or database in the core"
        if name.startswith("drivers"):
            assert name in CONTRACT, f"{where}: the core knows drivers by their contract only"


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_only_the_demo_knows_the_simulator(path: Path) -> None:
    me = module_name(path)
    if me.startswith(("drivers.sim", "gateway.demo")):
        return
    for line, name in own_imports(path):
        assert not name.startswith("drivers.sim"), f"{path.relative_to(ROOT)}:{line} imports {name}"


def test_the_gateway_reaches_the_drivers_by_contract_registry_and_profiles_only() -> None:
    allowed = {
        *CONTRACT,
        "drivers.crowding",
        "drivers.registry",
        "drivers.profile",
        "drivers.scan",
        "drivers.osdp.pairing",
    }
    allowed |= {f"drivers.gb26875.{name}" for name in ("frames", "units", "stamps", "text", "tables")}
    for path in SOURCES:
        me = module_name(path)
        if me.startswith("gateway") and not me.startswith("gateway.demo"):
            for line, name in own_imports(path):
                if name.startswith("drivers"):
                    assert name in allowed, f"{path.relative_to(ROOT)}:{line} imports {name}"


def test_the_desks_store_knows_nothing_of_the_packages_above_it() -> None:
    above = {path.parent.name for path in (ROOT / "gateway/desk").glob("*/__init__.py")} - {"store"}
    for path in sorted((ROOT / "gateway/desk/store").glob("*.py")):
        for line, name in own_imports(path):
            package = (*name.split("."), "", "")[2]
            assert not (name.startswith("gateway.desk.") and package in above), f"{path.name}:{line} {name}"


def test_there_is_no_circle() -> None:
    graph = {module_name(path): {name for _, name in own_imports(path)} for path in SOURCES}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail[trail.index(module) :], module))
        if module not in done:
            for name in graph.get(module, set()):
                if name != module:
                    visit(name, (*trail, module))
            done.add(module)

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_a_file_is_one_idea_and_says_it_first(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), f"{path.relative_to(ROOT)}: the first line says what the file is"
    assert text.count("\n") <= MOST_LINES, f"{path.relative_to(ROOT)}: more than {MOST_LINES} lines"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= MOST_LINES_OF_A_FUNCTION, (
                f"{path.name}:{node.lineno} {node.name}: {length} lines"
            )


def test_everything_the_product_imports_is_declared() -> None:
    declared = {"aiosqlite", "amqtt", "click", "msgspec", "paho", "rich", "serial", "starlette", "uvicorn"}
    declared |= {
        "av",
        "cryptography",
        "asyncpg",
        "cv2",
        "jwt",
        "numpy",
        "onnxruntime",
        "osdp_sys",
    }
    declared |= {"apprise", "defusedxml", "jinja2", "openpyxl", "segno"}
    declared |= {"prometheus_client"}
    for path in SOURCES:
        for line, name in imports(path):
            top = name.split(".")[0]
            assert top in declared | {"drivers", "gateway"} | set(sys.stdlib_module_names), (
                f"{path.relative_to(ROOT)}:{line} imports {name}, which pyproject.toml does not name"
            )

"""The Debian package is put together from files that are there, once where both Pythons can share them."""

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from gateway.desk.store.database import migrations
from gateway.runtime.access import store
from gateway.runtime.journal import statements

ROOT = Path(__file__).parents[2]


def load() -> ModuleType:
    """Return the build script, which is in no package."""
    spec = importlib.util.spec_from_file_location("build_deb", ROOT / "systemd" / "package" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build = load()


def test_everything_that_is_installed_is_there_and_everything_there_is_installed() -> None:
    named = {(build.SYSTEMD / source).resolve() for source in build.FILES}
    assert [path for path in named if not path.is_file()] == []
    assert {path for path in build.SYSTEMD.iterdir() if path.is_file()} <= named


def test_the_package_knows_the_schemas_of_the_code_it_carries() -> None:
    desk = migrations("sqlite")[-1][0]
    assert build.schemas() == {"journal": statements.SCHEMA, "access": store.SCHEMA, "desk": desk}


def test_all_extras_but_the_demos_are_inside_and_the_pythons_are_ones_the_project_supports() -> None:
    """What is not inside can't be added: `check` would ask for what nobody can install into the package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {*build.EXTRAS, "demo"} == set(project["optional-dependencies"])
    assert project["requires-python"].startswith(f">={build.PYTHONS[0]}")
    control = (build.SYSTEMD / "package" / "control").read_text(encoding="utf-8")
    assert re.findall(r"python3 \(>= ([\d.]+)\)", control) == list(build.PYTHONS)


def test_what_is_the_same_for_both_pythons_lies_there_once(tmp_path: Path) -> None:
    sites = [tmp_path / name / "site-packages" for name in ("python3.11", "python3.13")]
    for site in sites:
        (site / "pure" / "deep").mkdir(parents=True)
        (site / "pure" / "deep" / "code.py").write_text("same", encoding="ascii")
        (site / "native").mkdir()
        (site / "native" / "code.so").write_text(str(site), encoding="ascii")
        (site / "single.py").write_text("same", encoding="ascii")
    (sites[1] / "native" / "more.so").touch()
    build.share(sites, tmp_path / "common")
    assert sorted(path.name for path in (tmp_path / "common").iterdir()) == ["pure", "single.py"]
    for site in sites:
        assert sorted(path.name for path in site.iterdir()) == ["common.pth", "native"]
        added = site / (site / "common.pth").read_text(encoding="ascii").strip()
        assert added.resolve() == tmp_path / "common"


def test_libraries_leave_their_tests_and_headers_at_home(tmp_path: Path) -> None:
    for name in (
        "numpy/core/tests/test_a.py",
        "numpy/core/a.py",
        "onnxruntime/tools/b.py",
        "a/__pycache__/c.pyc",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    build.remove(tmp_path, build.UNWANTED)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a.py"]


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_a_package_is_described_as_what_it_is(tmp_path: Path, architecture: str) -> None:
    (tmp_path / "usr").mkdir()
    (tmp_path / "usr" / "file").write_bytes(b"x" * 4096)
    build.describe(tmp_path, "1.2.3", architecture)
    control = (tmp_path / "DEBIAN" / "control").read_text(encoding="utf-8")
    assert f"Version: 1.2.3\nArchitecture: {architecture}\n" in control
    assert "Installed-Size: 4\n" in control
    assert "usr/file" in (tmp_path / "DEBIAN" / "md5sums").read_text(encoding="utf-8")
    assert "@" not in (tmp_path / "DEBIAN" / "preinst").read_text(encoding="utf-8")
    assert '"1.2.3"' in (tmp_path / "DEBIAN" / "postinst").read_text(encoding="utf-8")

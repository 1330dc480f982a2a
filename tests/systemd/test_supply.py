"""What is delivered is listed whole and signed: the bill of materials against the lock, signatures against changes."""

import hashlib
import importlib.util
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "systemd" / "package"
UV = ROOT / ".tools" / "bin" / "uv"
LOCK: dict[str, Any] = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"package_{name}", PACKAGE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sbom, sign, build = load("sbom"), load("sign"), load("build")


# --- the bill of materials ------------------------------------------------------------------------


def locked() -> dict[str, dict[str, Any]]:
    """Return everything the package needs, walked through uv.lock by hand: name -> its entry."""
    packages = {each["name"]: each for each in LOCK["package"]}
    root = packages["compound-gateway"]
    wanted = [*root["dependencies"]]
    for extra in sbom.EXTRAS:
        wanted += root["optional-dependencies"][extra]
    found: dict[str, dict[str, Any]] = {}
    while wanted:
        need = wanted.pop()
        entry = packages[need["name"]]
        if need["name"] not in found:
            wanted += entry.get("dependencies", [])
        for extra in need.get("extra", ()):
            wanted += entry["optional-dependencies"][extra]
        found[need["name"]] = entry
    return found


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    uv = str(UV) if UV.exists() else shutil.which("uv")
    if uv is None:
        pytest.skip("no uv: make lint brings it")
    target = tmp_path_factory.mktemp("sbom") / "sbom.cdx.json"
    assert sbom.main(["--uv", uv, "--output", str(target)]) == 0
    told: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    return told


def libraries(bill: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in bill["components"] if each["type"] == "library"}


def test_whatever_python_runs_it_a_library_is_the_same(bill: dict[str, Any]) -> None:
    """Tests run with one Python. NumPy alone is another for newer ones, and is used as all its versions agree."""
    versions: dict[str, set[str]] = {}
    for each in LOCK["package"]:
        versions.setdefault(each["name"], set()).add(each["version"])
    assert {name for name in libraries(bill) if len(versions[name]) > 1} <= {"numpy"}


def test_every_library_of_the_lock_is_on_the_bill_and_no_other(bill: dict[str, Any]) -> None:
    assert {name: each["version"] for name, each in libraries(bill).items()} == {
        name: entry["version"] for name, entry in locked().items()
    }
    assert len(locked()) > 20


def test_every_library_has_its_address_and_the_hashes_of_the_lock(bill: dict[str, Any]) -> None:
    for name, each in libraries(bill).items():
        assert each["purl"] == f"pkg:pypi/{name}@{each['version']}"
        told = {
            digest["content"]
            for reference in each["externalReferences"]
            for digest in reference.get("hashes", ())
        }
        entry = locked()[name]
        wheels = {wheel["hash"].removeprefix("sha256:") for wheel in entry.get("wheels", ())}
        assert wheels <= told, name


def test_the_model_is_on_the_bill_with_its_sum(bill: dict[str, Any]) -> None:
    models = {each["name"]: each for each in bill["components"] if each["type"] == "machine-learning-model"}
    assert set(models) == {path.parent.name for path in (ROOT / "models").glob("*/model.onnx")} != set()
    for name, each in models.items():
        data = (ROOT / "models" / name / "model.onnx").read_bytes()
        assert each["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(data).hexdigest()}]


def test_it_is_cyclonedx_and_two_of_one_commit_are_the_same(bill: dict[str, Any]) -> None:
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.5", 1)
    assert "serialNumber" not in bill
    assert "timestamp" not in bill["metadata"]
    references = [each["bom-ref"] for each in bill["components"]]
    assert len(references) == len(set(references))
    known = {*references, bill["metadata"]["component"]["bom-ref"]}
    for each in bill["dependencies"]:
        assert {each["ref"], *each.get("dependsOn", ())} <= known


def test_the_bill_is_of_what_the_package_holds() -> None:
    assert sbom.EXTRAS == build.EXTRAS


# --- the signature --------------------------------------------------------------------------------

needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen (openssh-client)")


def key(folder: Path, name: str) -> Path:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)],
        check=True,
        timeout=30,
    )
    public = (folder / f"{name}.pub").read_text(encoding="ascii").split()
    (folder / f"{name}.signers").write_text(f"release {public[0]} {public[1]}\n", encoding="ascii")
    return folder / name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "deb"
    made.mkdir()
    (made / "compound-gateway_0.1.0_arm64.deb").write_bytes(b"!<arch>\n" + bytes(range(256)) * 40)
    (made / "compound-gateway_0.1.0_amd64.deb").write_bytes(b"!<arch>\n" + bytes(100))
    (made / "sbom.cdx.json").write_text("{}", encoding="ascii")
    (made / "notes.txt").write_text("not delivered", encoding="ascii")
    return made


@pytest.fixture
def signers(folder: Path) -> Path:
    release = key(folder.parent, "release")
    assert sign.main(["sign", "--key", str(release), str(folder)]) == 0
    return Path(f"{release}.signers")


def verified(folder: Path, signers: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = sign.main(["verify", "--signers", str(signers), str(folder)])
    told = capsys.readouterr()
    return code, told.out + told.err


@needs_ssh
def test_what_was_signed_is_verified_and_so_it_is_by_the_systems_own_tools(
    folder: Path, signers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    code, told = verified(folder, signers, capsys)
    assert code == 0
    assert [line.removeprefix("good: ") for line in told.splitlines()] == [
        "compound-gateway_0.1.0_amd64.deb", "compound-gateway_0.1.0_arm64.deb", "sbom.cdx.json",
    ]  # fmt: skip
    readme = (ROOT / "systemd" / "README.md").read_text(encoding="utf-8")
    by_hand = re.search(r"^\$ (ssh-keygen -Y verify .*)$", readme, re.M)
    assert by_hand is not None, "README says how to verify by hand"
    command = by_hand[1].replace("allowed-signers", str(signers))
    assert subprocess.run(["sh", "-c", command], cwd=folder, check=False, timeout=30).returncode == 0
    sums = ["sha256sum", "--check", "--ignore-missing", "--quiet", "SHA256SUMS"]
    assert subprocess.run(sums, cwd=folder, check=False, timeout=30).returncode == 0


@needs_ssh
@pytest.mark.parametrize(
    "name", ["compound-gateway_0.1.0_arm64.deb", "sbom.cdx.json", "SHA256SUMS", "SHA256SUMS.sig"]
)
@pytest.mark.parametrize("where", [0.02, 0.5, 0.9])
def test_a_single_flipped_bit_anywhere_is_found(
    folder: Path, signers: Path, capsys: pytest.CaptureFixture[str], name: str, where: float
) -> None:
    data = bytearray((folder / name).read_bytes())
    data[int(len(data) * where)] ^= 1
    (folder / name).write_bytes(data)
    code, told = verified(folder, signers, capsys)
    assert code == 1
    assert told.strip()


@needs_ssh
def test_a_package_that_nobody_signed_beside_those_that_were_is_told(
    folder: Path, signers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`apt install ./*.deb` would take the higher number."""
    (folder / "compound-gateway_9.9.9_arm64.deb").write_bytes(b"!<arch>\n" + bytes(50))
    capsys.readouterr()
    code, told = verified(folder, signers, capsys)
    assert code == 1
    assert "compound-gateway_9.9.9_arm64.deb: NOT signed" in told


@needs_ssh
def test_somebody_elses_key_a_signature_for_something_else_and_none_at_all_are_refused(
    folder: Path, signers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger = key(folder.parent, "stranger")
    assert sign.main(["sign", "--key", str(stranger), str(folder)]) == 0
    assert verified(folder, signers, capsys)[0] == 1
    release = folder.parent / "release"
    (folder / "SHA256SUMS.sig").unlink()
    subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-n", "file", "-f", str(release), str(folder / "SHA256SUMS")],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    assert verified(folder, signers, capsys)[0] == 1
    (folder / "SHA256SUMS.sig").unlink()
    code, told = verified(folder, signers, capsys)
    assert (code, "no signature" in told) == (1, True)


@needs_ssh
def test_a_folder_without_any_of_the_signed_files_proves_nothing(
    folder: Path, signers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in [*folder.glob("*.deb"), *folder.glob("*.json")]:
        path.unlink()
    assert verified(folder, signers, capsys)[0] == 1


def test_there_must_be_something_to_sign(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sign.main(["sign", "--key", str(tmp_path / "key"), str(tmp_path)]) == 1
    assert "nothing to sign" in capsys.readouterr().err

"""The table of faults names tests that exist, every fault has one, and every fault of the soaks stands in it."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
ROWS = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| (.+) \|$", (FOLDER / "README.md").read_text(), re.M)[1:]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
IN_A_SOAK = re.compile(r'^ +Fault\(\s*"([^"]+)"', re.M)
IN_BRACKETS = re.compile(r'\*\(\(Fault\(\s*"([^"]+)"')


def test_every_test_in_the_table_of_faults_exists() -> None:
    missing = [
        f"{file}::{name}"
        for _, _, _, tests in ROWS
        for file, name in NAMED.findall(tests)
        if f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8")
    ]
    assert missing == []


def test_every_fault_of_the_table_has_a_test() -> None:
    assert len(ROWS) > 20
    assert [fault for fault, _, _, tests in ROWS if not NAMED.findall(tests)] == []


def test_the_table_names_every_fault_of_the_soaks_and_no_other() -> None:
    """Read, not imported: the virtual soak takes the clocks of whoever imports it."""
    played = {
        name
        for file in ("causing.py", "virtual_faults.py")
        for pattern in (IN_A_SOAK, IN_BRACKETS)
        for name in pattern.findall((FOLDER / "soak" / file).read_text(encoding="utf-8"))
    }
    named = {name for _, _, soak, _ in ROWS for name in re.findall(r"`([^`]+)`", soak)}
    assert len(played) > 20
    assert named == played

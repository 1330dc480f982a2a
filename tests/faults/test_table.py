"""The table of faults names tests that exist, and every fault has one."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = re.findall(r"^\| (.+?) \| (.+?) \| (.+) \|$", (ROOT / "tests/faults/README.md").read_text(), re.M)[1:]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_test_in_the_table_of_faults_exists() -> None:
    missing = [
        f"{file}::{name}"
        for _, _, tests in ROWS
        for file, name in NAMED.findall(tests)
        if f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8")
    ]
    assert missing == []


def test_every_fault_of_the_table_has_a_test() -> None:
    assert len(ROWS) > 20
    assert [fault for fault, _, tests in ROWS if not NAMED.findall(tests)] == []

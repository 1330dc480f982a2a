"""What the README of the kinds says is what there is."""

import re
from importlib import resources

from gateway.core.assets.formulas import OPERATIONS
from gateway.core.assets.kinds import FOLDER, built_in

README = resources.files(FOLDER).joinpath("README.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| (`.+?) \| (.+) \|$", README, re.M))


def test_every_kind_stands_in_the_table_with_its_parts_and_alerts() -> None:
    for name, kind in built_in().items():
        (row,) = [told for names, told in ROWS.items() if f"`{name}`" in names]
        for part in kind.part:
            assert re.search(rf"\b{part}\b", row), (name, part)
        for rule in kind.rule:
            family, _, word = str(rule["kind"]).rpartition(".")
            assert f"`{family}.{word}`" in row or f"`.{word}`" in row, (name, rule["kind"])


def test_every_formula_stands_in_the_list() -> None:
    block = README.partition("```\n")[2].partition("```")[0]
    for name in OPERATIONS:
        assert re.search(rf"\b{name}\b", block), name

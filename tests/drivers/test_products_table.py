"""The table of products in README.md says nothing of a product that its profile does not."""

import re
from pathlib import Path

from drivers import profile

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([^|]*) \| ([^|]*) \| ([^|]*) \| none yet \|$", README, re.M)
AGAINST = {
    "modbus": "libmodbus",
    "osdp": "libosdp",
    "framed": "frames of its manual",
    "printer": "lines of its manual",
}


def test_every_system_of_a_shipped_product_has_a_row() -> None:
    assert ROWS
    told = {profile.load(_name(each)).category for _, products, _ in ROWS for each in products.split(", ")}
    assert told == {profile.load(name).category for name in profile.names()}


def test_a_map_nobody_confirmed_is_called_that_and_no_other() -> None:
    for _, products, _ in ROWS:
        for each in products.split(", "):
            assert ("map unconfirmed" in each) == (not profile.load(_name(each)).verified), each


def test_a_product_was_held_against_what_its_driver_was() -> None:
    for system, products, against in ROWS:
        for each in products.split(", "):
            assert AGAINST[profile.load(_name(each)).driver] in against, (system, each)


def test_every_shipped_product_stands_in_one_row() -> None:
    named = [_name(each) for _, products, _ in ROWS for each in products.split(", ")]
    assert sorted(named) == sorted(profile.names())


def _name(cell: str) -> str:
    return cell.split(" ", maxsplit=1)[0]

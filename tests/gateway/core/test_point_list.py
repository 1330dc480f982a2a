"""An installer's point list: as Chinese Excel writes it, every fault with its row, and nothing else."""

import pytest

from drivers.api import Text
from gateway.core.events import Place
from gateway.core.point_list import MOST_ROWS, PointList, read

LIST = "地址,位置,楼栋,单元,楼层\n004-017,东侧走廊,2,1,3\n\n004-018,消防水泵房,2,,B1\n"


def address_of(text: str) -> int | None:
    parts = text.split("-")
    return (
        int(parts[0]) * 1000 + int(parts[1])
        if len(parts) == 2 and text.replace("-", "").isdecimal()
        else None
    )


def listed(text: str) -> PointList:
    return read(text, line="panel", profile="gst9000-printer", address_of=address_of, file="points.csv")


@pytest.mark.parametrize(
    "text",
    [LIST, "\ufeff" + LIST, LIST.replace(",", ";"), LIST.replace(",", "\t"), LIST.replace("\n", "\r\n")],
)
def test_each_row_is_a_device_with_its_place(text: str) -> None:
    found = listed(text)
    assert found.faults == []
    first, second = found.devices
    assert (first.name, first.address, first.label) == ("panel-004-017", 4017, "东侧走廊")
    assert (first.place, first.profile) == (Place(building="2", unit="1", floor="3"), "gst9000-printer")
    assert (second.address, second.place.floor) == (4018, "B1")


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        (LIST.replace("地址", "位置2"), "header", 1),
        (LIST.replace("位置", "颜色"), "header", 1),
        (LIST.replace("004-018", "4/18"), "address", 4),
        (LIST.replace("004-018", ""), "address", 4),
        (LIST.replace("004-018", "004-017"), "address", 4),
        ("address,name\n1-1,a\n1-2,a\n", "name", 3),
        ('address\n"1-1\n', "file", 2),
        ("", "file", None),
        ("address\n" + "".join(f"1-{n}\n" for n in range(MOST_ROWS + 1)), "file", MOST_ROWS + 2),
    ],
)
def test_a_mistake_is_told_with_its_row(text: str, key: str, line: int | None) -> None:
    fault = listed(text).faults[0]
    assert (fault.key, fault.line, fault.file) == (key, line, "points.csv")
    assert isinstance(fault.wanted, Text)

"""Texts: where something is, as people say it."""

import pytest

from gateway.core import kinds
from gateway.core.events import Place, Words
from gateway.core.texts import Facts, Subject, add, common_place, describe, where

KINDS = kinds.built_in()
HOME = Place(compound="红星亭坡 1 号院", building="2", unit="1", floor="3")


@pytest.mark.parametrize(
    ("subject", "zh", "en"),
    [
        (Subject("a", "", HOME), "2 栋 1 单元 3 楼", "building 2, unit 1, floor 3"),
        (
            Subject("a", "东侧走廊", HOME),
            "2 栋 1 单元 3 楼 东侧走廊",
            "building 2, unit 1, floor 3, 东侧走廊",
        ),
        (Subject("a", "", Place(building="南楼", floor="夹层")), "南楼 夹层", "南楼, 夹层"),
        (Subject("a", "", Place(building="B", floor="B1")), "B 栋 地下 1 层", "building B, basement 1"),
        (Subject("a", "", Place(floor="-2")), "地下 2 层", "basement 2"),
        (Subject("manhole-7", "", Place(compound="院")), "manhole-7", "manhole-7"),
        (Subject("manhole-7", "北门", Place(compound="院")), "北门", "北门"),
        (Subject("", "", Place(compound="院")), "院", "院"),
        (Subject("x" * 99), "x" * 60, "x" * 60),
    ],
)
def test_a_place_is_said_as_people_say_it(subject: Subject, zh: str, en: str) -> None:
    assert where(subject) == Words(zh, en)


@pytest.mark.parametrize(
    ("kind", "facts", "zh", "en"),
    [
        (
            "fire.smoke",
            Facts(Subject("a", "", HOME)),
            "2 栋 1 单元 3 楼 烟感报警",
            "Smoke alarm, building 2, unit 1, floor 3",
        ),
        (
            "device.offline",
            Facts(Subject("cover-7", "北门井盖")),
            "北门井盖 失去联系，情况不明",
            "No contact with 北门井盖: its state is unknown",
        ),
        (
            "manhole.tilt",
            Facts(Subject("cover-7", "北门"), deviation=35.4),
            "北门 井盖倾斜 35 度",
            "Manhole cover tilted 35 degrees, 北门",
        ),
        (
            "manhole.water",
            Facts(Subject("well"), value=1.25, unit="m"),
            "well 井下水位过高（1.2 m）",
            "Water high in manhole, well (1.2 m)",
        ),
        (
            "manhole.water",
            Facts(Subject("well"), value=2),
            "well 井下水位过高（2）",
            "Water high in manhole, well (2)",
        ),
        (
            "uplink.down",
            Facts(Subject()),
            "报警送不出去，暂存在本机",
            "Alerts cannot be sent: they are kept here",
        ),
    ],
)
def test_a_text_reads_well_with_what_is_known(kind: str, facts: Facts, zh: str, en: str) -> None:
    assert describe(KINDS[kind], facts) == Words(zh, en)


def test_detectors_at_one_place_are_told_apart_by_label_or_name() -> None:
    others = [Subject("smoke-1", "东侧", HOME), Subject("smoke-2", "", HOME)]
    words = describe(KINDS["fire.confirmed"], Facts(Subject(place=HOME), count=2, others=others))
    assert words.zh == "2 栋 1 单元 3 楼 2 个探测器同时报警：东侧、smoke-2"


def test_the_common_place_ends_where_places_part() -> None:
    other = Place(compound=HOME.compound, building="2", unit="2", floor="3")
    assert common_place([HOME, other]) == Place(compound=HOME.compound, building="2")


def test_a_phrase_is_laid_around_a_text() -> None:
    assert add(KINDS.flapping, Words("甲", "A"), 5) == Words(
        "甲，反复出现，共 5 次", "A. On and off, 5 times"
    )

"""Actions become commands; times that would come out wrong are refused; profiles that ask for them, too."""

import pytest

from drivers import profile
from drivers.api import DriverError, Profile, ProfileError
from drivers.osdp.orders import orders
from tests.drivers.osdp.rig import READER

HEAD = """
[profile]
driver = "osdp"
category = "reader"
title = { zh = "读卡器", en = "Reader" }

[[point]]
name = "tamper"
local = "tamper"
"""


def product(steps: str, arguments: str = "") -> Profile:
    action = f'[[action]]\nname = "do"\ntitle = {{ zh = "做", en = "Do" }}\n{arguments}\nsteps = [{steps}]\n'
    return profile.parse(HEAD + action, file="reader.toml")


def test_unlock_is_a_timer_in_the_reader() -> None:
    (order,) = orders(READER.action("unlock"), {"seconds": 5})
    assert order.command == {"command": 1, "output_no": 0, "control_code": 5, "timer_count": 50}
    assert not order.courtesy


def test_hold_open_and_lock_stay() -> None:
    assert [orders(READER.action(name), {})[0].command["control_code"] for name in ("hold_open", "lock")] == [
        2,
        1,
    ]


def test_feedback_is_light_sound_and_text_as_far_as_there_is_any() -> None:
    led, buzzer, text = orders(READER.action("granted"), {})
    assert led.command["on_color"] == 2
    assert led.command["timer_count"] == 30
    assert buzzer.command["rep_count"] == 1
    assert text.command["data"] == "请进 Welcome"
    assert all(order.courtesy for order in (led, buzzer, text))
    assert led.possible({4: (1, 1)})
    assert not led.possible({})


@pytest.mark.parametrize("seconds", [0.0, 0.04, 25.6, 60.0])
def test_a_time_the_wire_would_cut_short_is_refused(seconds: float) -> None:
    arguments = 'arguments = [{ name = "seconds", minimum = 0, maximum = 100 }]'
    made = product('{ output = 0, code = "on_timed", seconds = "seconds" }', arguments)
    with pytest.raises(DriverError, match=r"from 0\.1 to 25\.5 s"):
        orders(made.action("do"), {"seconds": seconds})


@pytest.mark.parametrize(
    ("steps", "wanted"),
    [
        ('{ output = 0, code = "open" }', "off | on"),
        ('{ output = 0, code = "on_timed" }', "a time for a timed code only"),
        ('{ output = 0, code = "on", seconds = 3 }', "a time for a timed code only"),
        ('{ led = 0, color = "pink" }', "black | red"),
        ('{ text = "这一行对读卡器的小屏幕来说实在太长了" }', "at most 32 bytes"),
        ('{ output = 0, code = "on_timed", seconds = "minutes" }', "no arguments"),
        ('{ lamp = 0 }', "exactly one of output | led | buzzer | text"),
        ('{ buzzer = 1, tone = 3 }', "one of"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_step_is_told_with_what_was_wanted(steps: str, wanted: str) -> None:
    with pytest.raises(ProfileError) as caught:
        product(steps)
    assert wanted in caught.value.wanted


def test_a_point_stands_in_exactly_one_status() -> None:
    with pytest.raises(ProfileError, match=r"exactly one of local \| input \| output"):
        profile.parse(HEAD + "input = 0\n", file="reader.toml")

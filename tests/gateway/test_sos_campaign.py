"""Presses of fifty milliseconds at random times on a busy line: counted and latched ones are seen, every one of them.

`SOS_PRESSES=10000` plays the whole campaign; a small one runs by default. What a plain input sees of the very same
presses is counted beside them: it is why `check` warns of a button on such an input.
"""

import asyncio
import os
import random

from tests.gateway.buttons import BUTTONS, Boards, House, living, play

PRESSES = int(os.environ.get("SOS_PRESSES", "200"))
APART_S = 3.0  # of one button, so that each is a press of its own; others may be pressed at that moment


def test_every_press_is_seen_where_the_device_counts_or_latches() -> None:
    chance = random.Random(20_261_126)

    async def scenario(boards: Boards) -> tuple[int, int, int]:
        async with living(House(boards)) as house:
            await asyncio.sleep(10.0)
            at, last = house.loop.time(), dict.fromkeys(BUTTONS, 0.0)
            for _ in range(PRESSES):
                at += chance.expovariate(1.0)
                button = chance.choice(BUTTONS)
                pressed_at = max(at, last[button] + APART_S)
                last[button] = pressed_at
                boards.press_at(pressed_at, button)
            while house.loop.time() < max(last.values()) + 5.0:
                await asyncio.sleep(chance.uniform(5.0, 60.0))
                for alert in house.alerting.alerts():  # somebody answers now and then
                    house.alerting.acknowledge(alert.alert, "warden")
            latched = sum(house.pressed(f"latching-{n}") for n in BUTTONS)
            return house.pressed("counting"), latched, house.pressed("plain")

    counted, latched, plain = play(scenario)
    print(f"{PRESSES} presses of 50 ms: {counted} counted, {latched} latched, {plain} on plain inputs")
    assert counted == PRESSES
    assert latched == PRESSES
    assert plain < PRESSES / 3

"""From a transmitter on a fire main, or a gas detector, to the alert: what lasts is told, hammer and warm-up not."""

import asyncio

from gateway.core.events import Severity
from tests.gateway.quarter import Quarter, play

MAIN = """
[[bus]]
name = "main"
port = "/dev/main"
[[bus.device]]
name = "main-1"
profile = "pressure-transmitter"
address = 1
[[asset]]
name = "hydrants-2"
kind = "hydrant"
label = "消火栓管网"
place = { building = "2" }
parts = { pressure = "main-1.pressure" }
set = { low = 150 }
"""
GAS = """
[[bus]]
name = "gas"
port = "/dev/gas"
baud = 19200
[[bus.device]]
name = "gas-1"
profile = "sensepoint-xcl"
address = 1
place = { building = "2", floor = "1" }
"""


async def at_rest(quarter: Quarter) -> None:
    """Have a main under pressure, whose value trembles as water does."""
    quarter.set("main-1", pressure=350)
    await asyncio.sleep(60)
    assert quarter.open_kinds() == []


def test_a_pressure_that_stays_low_is_told_with_its_value_and_over_when_it_is_back() -> None:
    async def scenario(quarter: Quarter) -> None:
        await at_rest(quarter)
        for kpa in range(350, 120, -20):  # a tank that runs empty, no burst
            quarter.set("main-1", pressure=kpa)
            await asyncio.sleep(20)
        (alert,) = quarter.alerts("hydrant.low")
        assert alert.severity is Severity.MAJOR
        assert alert.text.zh == "2 栋 消火栓管网 消防管网压力过低（130 kPa），着火时可能没水"
        assert quarter.alerts("hydrant.drop") == []
        quarter.set("main-1", pressure=350)
        await quarter.until(lambda: quarter.alerts("hydrant.low")[-1].change == "cleared", within_s=120)

    play(scenario, MAIN)


def test_water_hammer_is_nothing() -> None:
    async def scenario(quarter: Quarter) -> None:
        await at_rest(quarter)
        for _ in range(4):
            quarter.set("main-1", pressure=900)
            await asyncio.sleep(1.5)
            quarter.set("main-1", pressure=60)
            await asyncio.sleep(1.5)
            quarter.set("main-1", pressure=350)
            await asyncio.sleep(20)
        assert quarter.open_kinds() == []

    play(scenario, MAIN)


def test_a_burst_main_is_told_as_a_fall_before_it_is_told_as_low() -> None:
    async def scenario(quarter: Quarter) -> None:
        await at_rest(quarter)
        for kpa in range(350, 170, -10):
            quarter.set("main-1", pressure=kpa)
            await asyncio.sleep(3)
        await quarter.until(lambda: quarter.alerts("hydrant.drop"), within_s=60)
        assert quarter.alerts("hydrant.low") == []

    play(scenario, MAIN)


def test_gas_in_the_warm_up_of_its_sensor_raises_nothing_and_low_and_high_are_told_apart() -> None:
    async def scenario(quarter: Quarter) -> None:
        quarter.set("gas-1", warming_up=True, alarm=True)
        await asyncio.sleep(60)
        assert quarter.open_kinds() == []
        quarter.set("gas-1", alarm=False)
        await asyncio.sleep(5)
        quarter.set("gas-1", warming_up=False)
        await asyncio.sleep(30)
        assert quarter.open_kinds() == []
        quarter.set("gas-1", alarm=True)
        await quarter.until(lambda: quarter.alerts("fire.gas"))
        assert quarter.alerts("fire.gas_high") == []
        quarter.set("gas-1", alarm_high=True)
        await quarter.until(lambda: quarter.alerts("fire.gas_high"))
        assert "立即撤离" in quarter.alerts("fire.gas_high")[0].text.zh
        quarter.set("gas-1", fault=True)
        await quarter.until(lambda: "fire.fault" in quarter.open_kinds())

    play(scenario, GAS)

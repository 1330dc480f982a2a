"""Lines that were never right: nobody answers, or what answers speaks no Modbus, or only half of a device does."""

import asyncio

import pytest

from drivers.api import LineReport
from tests.drivers.rig import Rig, on_line, smoke


@pytest.mark.parametrize("count", [10, 60, 100, 247])
def test_a_line_on_which_nobody_ever_answered_is_told_however_many_hang_on_it(count: int) -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(count)  # two rounds, and a third of a second for each question
        await rig.until(rig.line_reports, within_s=10.0)
        await asyncio.sleep(300)
        told = [LineReport("riser", False, "every device is silent", rig.line_reports()[0].at)]
        assert rig.line_reports() == told
        assert rig.device_reports() == []
        assert rig.driver.statistics().reopened >= 1, "some adapters hang until that is done"
        for address in range(1, count + 1):
            rig.sim(address).alive = True
        await rig.until(lambda: rig.line_reports()[-1].up, within_s=5.0)

    on_line(scenario, [], absent=[smoke()] * count)


def test_who_lives_at_the_far_end_of_a_line_is_found_though_the_near_half_never_answered() -> None:
    async def scenario(rig: Rig) -> None:
        for address in range(1, 119):
            rig.sim(address).alive = False
        await rig.until(lambda: len(rig.device_reports()) == 2, within_s=60.0)
        assert [(report.device, report.online) for report in rig.device_reports()] == [
            ("d119", True),
            ("d120", True),
        ]

    on_line(scenario, [smoke()] * 120)


def test_one_device_that_is_back_at_the_far_end_tells_a_line_that_was_down_as_up() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.until(rig.line_reports, within_s=200.0)
        rig.sim(200).alive = True
        await rig.until(lambda: rig.line_reports()[-1].up, within_s=100.0)

    on_line(scenario, [], absent=[smoke()] * 200)

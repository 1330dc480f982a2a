"""The pretend district is as large and as mixed as it says."""

from collections import Counter

from drivers.sim.compound import Wiring
from drivers.sim.district import district


def test_it_has_300_devices_of_every_kind_on_8_lines_each_with_an_address_of_its_own() -> None:
    world = district(seed=1, wiring=Wiring())
    assert len(world.lines) == 8
    assert len(world.devices) == 300
    kinds = Counter(device.profile.category for device in world.devices.values())
    assert {"smoke", "gas", "tilt", "level", "door", "input"} <= set(kinds)
    for there in world.on_line.values():
        assert len({device.address for device in there}) == len(there)

"""The how-to of drivers/README.md, done: each profile in it is good, played by the simulator, read by its driver."""

import asyncio
import re
import tomllib
from pathlib import Path

import pytest

from drivers import profile
from drivers.api import Profile, Quality
from drivers.framed.codec import decode
from drivers.framed.values import Field
from drivers.framed.values import decode as value_of
from drivers.framed.wire import FramedWire
from gateway.core import kinds
from gateway.core.rule_tables import compile_rules
from tests.drivers.framed.rig import Rig as FramedRig
from tests.drivers.framed.rig import on_line as on_framed_line
from tests.drivers.printer.test_printer_driver import Rig as PanelRig
from tests.drivers.printer.test_printer_driver import on_line as on_panel_line
from tests.drivers.rig import Rig, on_line

README = Path(profile.__file__).parent / "README.md"
*TEXTS, SITE = re.findall(r"```toml\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
GAUGE, BIN, PANEL = (
    profile.parse(text, file=f"{name}.toml")
    for text, name in zip(TEXTS, ("gauge", "bin", "panel"), strict=True)
)


@pytest.mark.parametrize("example", [GAUGE, BIN, PANEL], ids=lambda example: example.name)
def test_its_rules_are_rules_of_the_gateway(example: Profile) -> None:
    compiled = compile_rules(
        example.rules, (), {}, device="one", category=example.category, points=example.points,
        kinds=kinds.built_in(), where="device",
    )  # fmt: skip
    assert len(compiled.rules) == 1
    assert compiled.faults == ()


def test_the_modbus_example_is_read_from_a_pretend_gauge() -> None:
    async def scenario(rig: Rig) -> None:
        rig.sim(1).set("level", 640)
        await rig.until(lambda: any(r.value == 640 for r in rig.readings("d1")))

    on_line(scenario, [GAUGE])


def test_the_framed_example_is_read_from_pretend_gauges_that_share_a_line() -> None:
    async def scenario(rig: FramedRig) -> None:
        rig.units[0].set("fill", 55)
        rig.units[1].set("fill", 91)
        await rig.until(lambda: rig.last("fill", "d1") and rig.last("fill", "d2"))
        await asyncio.sleep(6.0)
        told = [rig.last("fill", name) for name in ("d1", "d2")]
        assert [(r.value, r.quality) for r in told if r] == [(55, Quality.GOOD), (91, Quality.GOOD)]

    on_framed_line(scenario, BIN, addresses=(1, 2))


def test_the_panel_of_the_example_is_read_from_what_a_pretend_one_prints() -> None:
    async def scenario(rig: PanelRig) -> None:
        rig.units[4017].set("fire", True)
        await asyncio.sleep(1.0)
        rig.units[4017].set("fire", False)
        await asyncio.sleep(1.0)
        assert rig.values("4017", "fire") == [True, False]
        assert rig.said()[0].text == "FIRE 04-017 3F EAST"

    on_panel_line(scenario, PANEL, addresses=(4017,))


def test_the_frames_drawn_in_the_framed_example_say_what_stands_beside_them() -> None:
    assert isinstance(BIN.wire, FramedWire)
    (request,) = BIN.wire.requests
    assert request.bytes_to(BIN.wire.layout, 1).hex(" ").upper() in BIN.layout
    frame = decode(BIN.wire.layout, bytearray.fromhex("A5 01 90 02 37 01 00 5A"))
    assert frame is not None
    fields = {point.name: point.wire for point in BIN.points if isinstance(point.wire, Field)}
    assert {name: value_of(field, frame.data) for name, field in fields.items()} == {
        "fill": 55,
        "lid_open": True,
    }
    assert "A5 01 90 02 37 01 00 5A" in BIN.layout


@pytest.mark.parametrize(("device", "kind"), [("bin-7", "bin.full"), ("fire-lane-2", "parking.blocked")])
def test_the_rules_of_the_site_suit_a_distance_and_the_one_device_they_are_for(
    device: str, kind: str
) -> None:
    made = profile.load("dyp-a01nyub")
    tables = tomllib.loads(SITE)["rule"]
    compiled = compile_rules(
        made.rules, tables, {}, device=device, category=made.category, points=made.points,
        kinds=kinds.built_in(), where="device",
    )  # fmt: skip
    assert [rule.kind.name for rule in compiled.rules] == [kind]
    assert compiled.faults == ()

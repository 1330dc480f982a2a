"""The pretend fire centre on a real socket: what it takes, and what it refuses without falling over."""

import asyncio

import pytest

from drivers.gb26875 import frames, units
from drivers.gb26875.frames import Command, Frame
from drivers.gb26875.units import SystemState, Unit
from drivers.sim.centre import Manners, SimCentre

STAMP = bytes(6)
GOOD = units.encode(Unit(1, (SystemState(1, 1, 0b11, STAMP),)))
SENSELESS = {
    "a type that is not known": bytes([50, 1, 0]),
    "one byte": bytes([1]),
    "an object cut short": GOOD[:-3],
    "bytes behind the objects": GOOD + b"\0",
    "too many objects": bytes([1, 200]),
}


async def answers(centre: SimCentre, *sent: bytes) -> list[Frame]:
    """Return what a centre answers to data units, in order, over one connection."""
    reader, writer = await asyncio.open_connection(centre.host, centre.port)
    buffer = bytearray()
    found: list[Frame] = []
    for serial, unit in enumerate(sent):
        writer.write(frames.encode(Frame(serial, Command.SEND, 889, 88888, STAMP, unit)))
    while len(found) < len(sent):
        data = await reader.read(1024)
        assert data, "the centre hung up"
        buffer += data
        while (frame := frames.decode(buffer)) is not None:
            found.append(frame)
    writer.close()
    await writer.wait_closed()
    return found


@pytest.mark.parametrize("unit", SENSELESS.values(), ids=SENSELESS)
@pytest.mark.parametrize("manners", [Manners.HONEST, Manners.TWICE])
def test_a_unit_that_says_nothing_is_refused_and_what_follows_is_taken(unit: bytes, manners: Manners) -> None:
    async def story() -> None:
        async with asyncio.timeout(5), SimCentre() as centre:
            centre.manners = manners
            first, second, *_ = await answers(centre, unit, GOOD)
            assert (first.serial, first.command) == (0, Command.DENY)
            assert (second.serial, second.command) == (1, Command.CONFIRM)
            (report,) = centre.accepted
            assert report.frame.serial == 1, "what was refused is not counted as told"

    asyncio.run(story())

"""Worked samples of GB/T 26875.3-2011 as makers hand them round: bytes, what the packet is, what its unit says.

They are those of `reference/devices.md` 2.1: eleven dialogues between a device (address 0x379) and a centre (0x15B38),
with the confirmations and refusals that go with them. Where one packet stands in several dialogues it is here once.
`FOREIGN` are data units with which an independent decoder (Go, shootingfans/codec_gb26875_3_2011) tests itself.
"""

from dataclasses import dataclass

from drivers.gb26875.frames import Command, Frame
from drivers.gb26875.units import (
    Analog,
    Bare,
    ComponentAbout,
    ComponentState,
    DeviceOperation,
    DeviceState,
    DeviceTime,
    DeviceVersion,
    Operation,
    SystemAbout,
    SystemState,
    SystemTime,
    SystemVersion,
    Unit,
)

DEVICE, CENTRE = 0x379, 0x15B38
SENT, ANSWERED = bytes.fromhex("203A091A090C"), bytes.fromhex("233A091A090C")
HAPPENED = bytes.fromhex("023A091A090C")  # 2012-09-26 09:58:02
UP, DOWN = "7903000000 00 385B01000000", "385B01000000 790300000000"


@dataclass(frozen=True, slots=True)
class Vector:
    """One packet. `unit` is None where it says nothing."""

    name: str
    data: bytes
    frame: Frame
    unit: Unit | None


def _vector(
    name: str,
    way: str,
    command: Command,
    tail: str,
    unit: Unit | None = None,
    *,
    stamp: bytes = SENT,
) -> Vector:
    """Return a sample; `tail` is what follows the addresses, to the end, as it is printed."""
    data = bytes.fromhex(f"4040 0100 0101 {stamp.hex()} {way} {tail}")
    ends = (DEVICE, CENTRE) if way == UP else (CENTRE, DEVICE)
    return Vector(name, data, Frame(1, command, *ends, stamp, data[27:-3]), unit)


_SMOKE = "3000 02 0201 0101 28 0A000200 0200" + "20" * 30 + "00 023A091A090C 46 2323"
_STATE = Unit(21, (DeviceState(0x08, HAPPENED),))
_VERSION = Unit(25, (DeviceVersion(1, 1),))
_TIME = Unit(28, (DeviceTime(HAPPENED),))

VECTORS = (
    _vector(
        "a smoke detector in alarm",
        UP,
        Command.SEND,
        _SMOKE,
        Unit(2, (ComponentState(1, 1, 40, 0x0002000A, 2, b" " * 30 + b"\0", HAPPENED),)),
    ),
    _vector("mains fault", UP, Command.SEND, "0900 02 1501 08 023A091A090C 42 2323", _STATE),
    _vector(
        "answer to a duty check",
        UP,
        Command.SEND,
        "0A00 02 1801 2001 023A091A090C 5F 2323",
        Unit(24, (DeviceOperation(0x20, 1, HAPPENED),)),
    ),
    _vector("version 1.1", UP, Command.SEND, "0400 02 1901 0101 C7 2323", _VERSION),
    _vector("time of the device", UP, Command.SEND, "0800 02 1C01 023A091A090C 40 2323", _TIME),
    _vector("the centre confirms", DOWN, Command.CONFIRM, "0000 03 AB 2323", stamp=ANSWERED),
    _vector("the centre refuses", DOWN, Command.DENY, "0000 06 AE 2323", stamp=ANSWERED),
    _vector("the device confirms", UP, Command.CONFIRM, "0000 03 AB 2323", stamp=ANSWERED),
    _vector("the device refuses", UP, Command.DENY, "0000 06 AE 2323", stamp=ANSWERED),
    _vector("how is the device?", DOWN, Command.REQUEST, "0300 04 5101 00 FE 2323", Unit(81, (Bare(0),))),
    _vector("so it is", UP, Command.RESPONSE, "0900 05 1501 08 023A091A090C 45 2323", _STATE),
    _vector("which version?", DOWN, Command.REQUEST, "0300 04 5501 00 02 2323", Unit(85, (Bare(0),))),
    _vector("this version", UP, Command.RESPONSE, "0400 05 1901 0101 CA 2323", _VERSION),
    _vector("what time?", DOWN, Command.REQUEST, "0300 04 5801 00 05 2323", Unit(88, (Bare(0),))),
    _vector("this time", UP, Command.RESPONSE, "0800 05 1C01 023A091A090C 43 2323", _TIME),
    _vector("start anew", DOWN, Command.CONTROL, "0300 01 5901 00 03 2323", Unit(89, (Bare(0),))),
    _vector(
        "set your clock",
        DOWN,
        Command.CONTROL,
        "0800 01 5A01 023A091A090C 7D 2323",
        Unit(90, (DeviceTime(HAPPENED),)),
    ),
    _vector(
        "is anybody there? ten minutes",
        DOWN,
        Command.CONTROL,
        "0300 01 5B01 0A 0F 2323",
        Unit(91, (Bare(10),)),
    ),
)

_AT, _NEXT = bytes.fromhex("040009020715"), bytes.fromhex("050009020715")  # 2021-07-02 09:00:04, :05
_ROOM = "37c2a53032cad2bbe1d2e9cad2d1ccb8d0"  # 7楼02室会议室烟感
_ROOM_31 = bytes.fromhex(_ROOM).ljust(31, b"\0")
_ROOM_30 = bytes.fromhex(_ROOM).ljust(30, b"\0")

FOREIGN = (
    ("0101 0102 0402 040009020715", Unit(1, (SystemState(1, 2, 0x0204, _AT),))),
    (
        "0102 0102 0402 040009020715 0d03 0501 050009020715",
        Unit(1, (SystemState(1, 2, 0x0204, _AT), SystemState(13, 3, 0x0105, _NEXT))),
    ),
    (
        f"0201 0102 79 01020304 0402 {_ROOM_31.hex()} 040009020715",
        Unit(2, (ComponentState(1, 2, 121, 0x04030201, 0x0204, _ROOM_31, _AT),)),
    ),
    (
        "0301 0102 28 01020304 03 2003 040009020715",
        Unit(3, (Analog(1, 2, 40, 0x04030201, 3, 0x0320, _AT),)),
    ),
    ("0401 0102 84fa 040009020715", Unit(4, (Operation(1, 2, 0x84, 0xFA, _AT),))),
    ("0501 0102 0304", Unit(5, (SystemVersion(1, 2, 3, 4),))),
    (
        f"0602 0102 1e {_ROOM_30.hex()} 0d03 1e {_ROOM_30.hex()}",
        Unit(6, (SystemAbout(1, 2, _ROOM_30), SystemAbout(13, 3, _ROOM_30))),
    ),
    (
        f"0701 0102 28 01020304 {_ROOM_31.hex()}",
        Unit(7, (ComponentAbout(1, 2, 40, 0x04030201, _ROOM_31),)),
    ),
    ("0801 0102 040009020715", Unit(8, (SystemTime(1, 2, _AT),))),
    ("1501 08 040009020715", Unit(21, (DeviceState(8, _AT),))),
    ("1801 31fa 040009020715", Unit(24, (DeviceOperation(0x31, 0xFA, _AT),))),
)

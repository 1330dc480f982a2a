"""A key gets into a peripheral once, and what stands in the way is said in words."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable

import pytest

from drivers.api import DeviceError, DriverError, LineError, LineSettings
from drivers.osdp.frames import DEFAULT_KEY
from drivers.osdp.pairing import PeripheralId, Stage, pair, probe
from drivers.sim.memory_line import MemoryLine
from drivers.sim.osdp import IDENTITY, SimReader
from drivers.sim.osdp_line import ReaderLine
from tests.drivers.osdp.rig import KEY, OTHER_KEY

SETTINGS = LineSettings("bench", "memory", baud=9600)


def on_bench(
    reader: SimReader | None,
    deed: Callable[[MemoryLine], Awaitable[PeripheralId]],
    hears: bytes | None = None,
) -> PeripheralId:
    async def main() -> PeripheralId:
        line = ReaderLine(SETTINGS, [reader] if reader else [])
        if reader and hears is not None:
            reader.hear = lambda data, now: hears  # type: ignore[method-assign]
        return await deed(MemoryLine(line))

    return asyncio.run(main(), debug=True)


def paired(
    reader: SimReader | None, key: bytes, stages: list[Stage] | None = None, **more: bytes
) -> PeripheralId:
    told = stages if stages is not None else []
    return on_bench(
        reader,
        lambda line: pair(SETTINGS, 5, new_key=key, progress=told.append, open_stream=line.open),
        **more,
    )


def probed(reader: SimReader | None, key: bytes | None = None) -> PeripheralId:
    return on_bench(reader, lambda line: probe(SETTINGS, 5, key=key, open_stream=line.open))


def test_a_reader_in_install_mode_takes_a_fresh_key_and_comes_up_with_it() -> None:
    reader, key, stages = SimReader(5, None), secrets.token_bytes(16), list[Stage]()
    found = paired(reader, key, stages)
    assert reader.key == key
    assert stages == [Stage.LOOKING, Stage.SENDING, Stage.CHECKING]
    assert (found.vendor, found.model, found.serial) == (0xCAFE, 7, IDENTITY["serial_number"])
    assert found.capabilities[2] == (1, 1)


def test_pairing_again_with_the_same_key_is_no_mistake() -> None:
    stages: list[Stage] = []
    paired(SimReader(5, KEY), KEY, stages)
    assert stages == [Stage.LOOKING, Stage.CHECKING]


@pytest.mark.parametrize(
    ("reader", "error", "words"),
    [
        (lambda: SimReader(5, OTHER_KEY), DeviceError, "paired with another key"),
        (lambda: SimReader(5, None, secure=False), DeviceError, "no secure channel"),
        (lambda: SimReader(6, None), LineError, "no answer"),
    ],
    ids=["another key", "plain only", "another address"],
)
def test_what_stands_in_the_way_is_said(
    reader: Callable[[], SimReader], error: type[DriverError], words: str
) -> None:
    made = reader()
    before = made.key
    with pytest.raises(error, match=words):
        paired(made, KEY)
    assert made.key == before


def test_bytes_that_make_no_frame_point_to_the_baud_rate() -> None:
    with pytest.raises(LineError, match="another baud rate"):
        paired(SimReader(5, None), KEY, hears=b"\x00\xfc\x1c\x00\xe0")


@pytest.mark.parametrize("key", [bytes(16), DEFAULT_KEY, bytes(range(15)), b""])
def test_a_key_that_protects_nothing_is_not_sent(key: bytes) -> None:
    reader = SimReader(5, None)
    with pytest.raises(DriverError, match="16 random bytes"):
        paired(reader, key)
    assert reader.key is None


def test_a_probe_tells_who_is_there_and_changes_nothing() -> None:
    for reader in (SimReader(5, None), SimReader(5, KEY), SimReader(5, KEY, secure=False)):
        key = reader.key
        assert probed(reader).serial == IDENTITY["serial_number"]
        assert reader.key == key


def test_a_probe_with_a_key_sees_whether_it_holds() -> None:
    assert probed(SimReader(5, KEY), KEY).vendor == 0xCAFE
    with pytest.raises(DeviceError, match="another key"):
        probed(SimReader(5, OTHER_KEY), KEY)
    with pytest.raises(LineError, match="no answer"):
        probed(None, KEY)


def test_a_port_that_is_not_there_is_said_as_such() -> None:
    settings = LineSettings("bench", "/dev/serial/by-id/none-such")
    with pytest.raises(LineError, match="not there"):
        asyncio.run(pair(settings, 5, new_key=KEY))

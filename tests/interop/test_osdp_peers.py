"""Our driver against libosdp's peripheral in a process of its own, and our simulated reader against a control panel by
another author.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from drivers.api import Device, LineSettings, Quality, Reading, Report
from drivers.osdp import supervision
from drivers.osdp.driver import OsdpDriver
from drivers.osdp.pairing import probe
from drivers.sim.osdp import IDENTITY, SimReader
from drivers.sim.osdp_line import ReaderLine
from drivers.sim.pty_line import PtyLine
from tests.drivers.osdp.rig import CARD, KEY, OTHER_KEY, READER, Rig
from tests.interop.test_masters_peers import pty_pair

__all__ = ["pty_pair"]

PEERS = Path(__file__).parent / "peers"
OTHER_AUTHOR = "osdp==1.6"  # installs the same package name as libosdp, so it lives apart


class Peer:
    """A reader in another process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._in, self._out = process, process.stdin, process.stdout

    def tell(self, line: str) -> None:
        self._in.write(f"{line}\n".encode())

    async def heard(self) -> dict[str, object]:
        """Return the next command it got."""
        async with asyncio.timeout(5.0):
            found: dict[str, object] = json.loads(await self._out.readline())
            return found

    async def ready(self) -> None:
        async with asyncio.timeout(10.0):
            assert await self._out.readline() == b"ready\n"

    async def kill(self) -> None:
        self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def reader(port: str, key: bytes) -> AsyncIterator[Peer]:
    command = (sys.executable, str(PEERS / "osdp_reader.py"), port, "12", key.hex())
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    peer = Peer(process)
    try:
        await peer.ready()
        yield peer
    finally:
        if process.returncode is None:
            await peer.kill()


def rigged(port: str) -> Rig:
    """Our driver on that port."""
    seen: list[Report] = []
    loop = asyncio.get_running_loop()
    settings = LineSettings("cable", port, baud=115200)
    driver = OsdpDriver(settings, [Device("r12", READER, 12, KEY)], seen.append, clock=loop.time)
    return Rig(ReaderLine(settings, []), driver, seen)


def test_libosdps_peripheral_is_read_and_commanded_in_secure_channel(pty_pair: tuple[str, str]) -> None:
    async def main() -> None:
        async with reader(pty_pair[1], KEY) as peer:
            rig = rigged(pty_pair[0])
            await rig.until(lambda: rig.online("r12"), within_s=10.0)
            await asyncio.sleep(1.0)
            peer.tell(f"card 26 {CARD.hex()}")
            await rig.until(lambda: rig.presented("r12"))
            peer.tell("keys 17")
            await rig.until(lambda: len(rig.presented("r12")) == 2)
            assert [(p.bits, p.data) for p in rig.presented("r12")] == [(26, CARD), (2, b"17")]
            assert await rig.act("unlock", "r12", seconds=2.5) == "acknowledged"
            told = await peer.heard()
            assert (told["output_no"], told["control_code"], told["timer_count"]) == (0, 5, 25)
            assert await rig.act("granted", "r12") == "acknowledged"  # it has no display, and needs none
            assert [(await peer.heard())["command"] for _ in range(2)] == [2, 3]
            assert [report.online for report in rig.told("r12")] == [True]
            await rig.end()

    asyncio.run(main(), debug=True)


def test_libosdps_peripheral_that_dies_is_offline_and_back_when_it_lives_again(
    pty_pair: tuple[str, str],
) -> None:
    async def main() -> None:
        rig = rigged(pty_pair[0])
        async with reader(pty_pair[1], KEY) as peer:
            await rig.until(lambda: rig.online("r12"), within_s=10.0)
            await peer.kill()
            assert await rig.until(lambda: not rig.online("r12"), within_s=8.0) < 5.0
        async with reader(pty_pair[1], KEY):
            assert await rig.until(lambda: rig.online("r12"), within_s=12.0) < 8.0
        await rig.end()

    asyncio.run(main(), debug=True)


def test_libosdps_peripheral_with_another_key_is_refused_with_the_reason(pty_pair: tuple[str, str]) -> None:
    async def main() -> None:
        async with reader(pty_pair[1], OTHER_KEY) as peer:
            rig = rigged(pty_pair[0])
            await rig.until(lambda: rig.told("r12"), within_s=10.0)
            peer.tell(f"card 26 {CARD.hex()}")
            await asyncio.sleep(1.0)
            assert [report.reason for report in rig.told("r12")] == [supervision.OTHER_KEY]
            assert not rig.presented("r12")
            readings = [report for report in rig.reports if isinstance(report, Reading)]
            assert not any(reading.quality is Quality.GOOD for reading in readings)
            await rig.end()
            found = await probe(LineSettings("cable", pty_pair[0], baud=115200), 12)
            assert found.vendor == 0xFEBABE

    asyncio.run(main(), debug=True)


# --- a control panel by another author ------------------------------------------------------------


@pytest.fixture(scope="module")
def other_python() -> Path:
    """An environment with the other implementation, made once in the cache folder."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "compound-gateway-tests"
    home = cache / "osdp-1.6"
    if not (home / "ready").exists():
        shutil.rmtree(home, ignore_errors=True)
        cache.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=cache))
        subprocess.run([sys.executable, "-m", "venv", str(made)], check=True, capture_output=True)
        install = [str(made / "bin/python"), "-m", "pip", "install", "-q", OTHER_AUTHOR]
        done = subprocess.run(install, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            shutil.rmtree(made)
            pytest.skip(f"{OTHER_AUTHOR} cannot be had: {done.stderr.strip().splitlines()[-1:]}")
        made.rename(home)
        (home / "ready").touch()
    return home / "bin/python"


@pytest.fixture
def derived_key() -> tuple[bytes, bytes]:
    """A master key, and the key of our reader that its author derives from it: AES(master, cUID || ~cUID)."""
    master = bytes(range(16))
    cuid = (
        (IDENTITY["vendor_code"] & 0xFFFF).to_bytes(2, "little")
        + bytes((IDENTITY["model"], 0))
        + IDENTITY["serial_number"].to_bytes(4, "little")
    )
    encryptor = Cipher(algorithms.AES(master), modes.ECB()).encryptor()
    return master, encryptor.update(cuid + bytes(byte ^ 0xFF for byte in cuid))


def test_a_control_panel_by_another_author_uses_our_reader_in_secure_channel(
    other_python: Path, derived_key: tuple[bytes, bytes]
) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        master, key = derived_key
        ours = SimReader(12, key)
        ours.inputs[1] = True
        switched: list[tuple[bool, float]] = []
        ours.on_output = lambda _number, on, at: switched.append((on, at))
        line = ReaderLine(LineSettings("door", "pty", baud=115200), [ours])
        with PtyLine(line) as port:
            process = await asyncio.create_subprocess_exec(
                str(other_python), str(PEERS / "osdp_master.py"), port.path, "12", master.hex(),
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            assert process.stdout is not None
            facts: dict[str, object] = {}
            try:
                async with asyncio.timeout(40.0):
                    while raw := await process.stdout.readline():
                        facts |= json.loads(raw)
                        if "tamper" in facts and "keys" not in facts:
                            ours.press("7")
                        if "keys" in facts and "card" not in facts:
                            ours.present_card(26, CARD)
            finally:
                if process.returncode is None:
                    process.kill()
                await process.wait()
            assert facts["online"] is True
            assert (facts["serial"], facts["model"]) == (IDENTITY["serial_number"], IDENTITY["model"])
            assert (facts["inputs"], facts["tamper"]) == ([False, True], False)
            assert (facts["keys"], facts["bits"], facts["card"]) == ("37", 26, CARD.hex())
            assert facts["unlocked"] is True
            assert switched[0][0] is True
            await asyncio.sleep(max(0.0, switched[0][1] + 2.1 - loop.time()))
            line.take(loop.time())
            assert [on for on, _ in switched] == [True, False]
        line.close()

    asyncio.run(main(), debug=True)

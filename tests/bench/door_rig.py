"""What the bench of the doors stands on: a gateway with a reader on a paced line, and cards held to it."""

import asyncio
import secrets
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from drivers import profile
from drivers.api import LineSettings
from drivers.sim.line import SimLine
from drivers.sim.modbus import SimDevice
from drivers.sim.osdp import SimReader
from drivers.sim.osdp_line import ReaderLine
from drivers.sim.pty_line import PtyLine
from tests.bench import rig

CARD = (26, bytes.fromhex("b2320180"))  # Wiegand 26: facility 100, number 25603
UNLOCK_S = 1.0
PAUSE_S = 1.3  # longer than a pulse, so that each card finds the strike locked


def doors(buses: Sequence[Mapping[str, Any]]) -> str:
    """Return the tables of a door for each door board of these lines, and of an interlock."""
    text = '\n[[interlock]]\nname = "fire"\n'
    for bus in buses:
        for device in bus["device"]:
            if device["name"].startswith("door-"):
                name, place = device["name"], rig._toml(device["place"])
                text += f'\n[[door]]\nname = "gate-{name[5:]}"\nplace = {place}\nstrike = "{name}"\n'
                text += f'contact = "{name}.contact"\nexit = "{name}.exit_button"\n'
    return text


def until_locked(process: rig.GatewayProcess, count: int) -> None:
    """Wait until the gateway has seen all its doors shut and locked."""
    end = time.monotonic() + rig.START_S
    while True:
        try:
            seen = process.ask("doors")["doors"]
        except subprocess.CalledProcessError:  # it is not up yet
            seen = []
        if sum(door["state"] == "locked" for door in seen) == count:
            return
        assert time.monotonic() < end, process.log.read_text(encoding="utf-8")
        time.sleep(0.2)


def cards(folder: Path, baud: int, count: int, *, relay: bool = False) -> list[float]:
    """Return the seconds from each card to the strike."""
    folder.mkdir()
    with Entrance(folder, baud, relay=relay) as entrance, entrance.gateway() as process:
        until_locked(process, 1)
        times = [entrance.hold_card() for _ in range(count)]
    where = "relay on Modbus" if relay else "reader's own output"
    print(f"{baud} baud, {where}: p99 {p99_ms(times):.0f} ms", file=sys.stderr, flush=True)
    return times


def p99_ms(times: Sequence[float]) -> float:
    """Return the 99th percentile in milliseconds; the worst of fewer than a hundred."""
    ordered = sorted(times)
    return ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)] * 1000


def p50_ms(times: Sequence[float]) -> float:
    """Return the median in milliseconds."""
    return statistics.median(times) * 1000


class Entrance:
    """A reader on its line, and with `relay` a board on another; their loop runs in a thread of its own."""

    def __init__(self, folder: Path, baud: int, *, relay: bool) -> None:
        self._folder, self._baud = folder, baud
        self._key = secrets.token_bytes(16)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._stack = ExitStack()
        self._struck = threading.Event()
        self._struck_at = 0.0
        self.strikes = 0  # so often it was energised
        self._reader = SimReader(0, self._key)
        self._board = SimDevice(profile.load("waveshare-door"), 1) if relay else None

    def __enter__(self) -> "Entrance":
        self._thread.start()
        self._call(self._plug)
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._unplug)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=rig.START_S)
        self._loop.close()

    def gateway(self) -> Any:
        """Have a gateway that lets our card in."""
        (self._folder / "reader-key").write_text(self._key.hex() + "\n", encoding="ascii")
        (self._folder / "reader-key").chmod(0o600)
        (self._folder / "cards.csv").write_text("card,holder,doors\n100:25603,bench,*\n", encoding="utf-8")
        return rig.gateway(self._folder, self._text())

    def hold_card(self) -> float:
        """Hold the card to the reader and return how long it took to the strike."""
        time.sleep(PAUSE_S)
        self._struck.clear()
        began: float = self._call(self._present)
        assert self._struck.wait(5.0), (self._folder / "gateway.log").read_text(encoding="utf-8")
        return self._struck_at - began

    def present(self, bits: int, data: bytes) -> None:
        """Hold any card to the reader."""
        self._call(lambda: self._reader.present_card(bits, data))

    def _text(self) -> str:
        strike = "board" if self._board else "reader"
        text = (
            f'[gateway]\nid = "bench"\nstate_dir = "{self._folder}/state"\n\n'
            f'[access]\nfile = "cards.csv"\n\n'
            f'[[bus]]\nname = "readers"\nport = "{self._folder}/readers"\nbaud = {self._baud}\n\n'
            f'[[bus.device]]\nname = "reader"\nprofile = "osdp-reader"\naddress = 0\nkey_file = "reader-key"\n\n'
            f'[[door]]\nname = "gate"\nstrike = "{strike}"\nreaders = ["reader"]\nunlock_s = {UNLOCK_S}\n'
            f'contact = "{strike}.contact"\n'
        )
        if self._board:
            text += (
                f'\n[[bus]]\nname = "boards"\nport = "{self._folder}/boards"\nbaud = {self._baud}\n\n'
                f'[[bus.device]]\nname = "board"\nprofile = "waveshare-door"\naddress = 1\n'
            )
        return text

    def _plug(self) -> None:
        settings = LineSettings("readers", "pty", baud=self._baud)
        line = PtyLine(ReaderLine(settings, [self._reader]), link=self._folder / "readers")
        self._stack.enter_context(line)
        if self._board is None:
            self._reader.on_output = self._output
            return
        self._board.on_change = self._change
        boards = LineSettings("boards", "pty", baud=self._baud)
        self._stack.enter_context(PtyLine(SimLine(boards, [self._board]), link=self._folder / "boards"))

    def _unplug(self) -> None:
        self._stack.close()
        self._reader.close()

    def _present(self) -> float:
        self._reader.present_card(*CARD)
        return time.monotonic()

    def _output(self, _number: int, on: bool, at: float) -> None:
        if on:
            self._strike(at)

    def _change(self, _device: str, point: str, value: object) -> None:
        if point == "strike" and value:
            self._strike(time.monotonic())

    def _strike(self, at: float) -> None:
        self.strikes += 1
        if not self._struck.is_set():
            self._struck_at = at
            self._struck.set()

    def _call(self, work: Any) -> Any:
        async def run() -> Any:
            return work()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(timeout=rig.START_S)

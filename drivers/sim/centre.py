"""A pretend fire centre: the receiving end of GB/T 26875.3-2011, honest or as bad as the worst.

    python -m drivers.sim.centre --port 5000        # prints what each device reports, and confirms it

How it answers is its `manners`, which may change while it runs; `refuse` picks packets it will not have, `ignore` some
it says nothing to. `accepted` is what it took and truly confirmed: whatever else it says, that alone may move a cursor.
`ask` puts a question or an order to the device that is connected.
"""

import argparse
import asyncio
import enum
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import TracebackType

from drivers.api import FrameError, Text
from drivers.gb26875 import frames, stamps, text, units
from drivers.gb26875.frames import ADDRESSES, SERIALS, Command, Frame
from drivers.gb26875.tables import standard
from drivers.gb26875.units import (
    Analog,
    ComponentState,
    DeviceOperation,
    DeviceState,
    Object,
    Operation,
    SystemState,
    Unit,
)

OFFSET_H = 8.0


class Manners(enum.Enum):
    """How a centre answers what it is told."""

    HONEST = "confirms"
    SILENT = "says nothing"
    DENIES = "refuses"
    WRONG_SERIAL = "confirms under another number"
    TWICE = "confirms twice"
    GARBAGE = "answers with noise"
    WRONG_ADDRESS = "confirms from another address"
    BROKEN_SUM = "confirms with a wrong sum"
    CUT_SHORT = "closes in the middle of its answer"
    HANGS_UP = "closes instead of answering"


@dataclass(frozen=True, slots=True)
class Report:
    """A packet that was taken: when (monotonic seconds), and what it says; `unit` is None for a heartbeat."""

    at: float
    frame: Frame
    unit: Unit | None


class SimCentre:
    """Listens while the `async with` block lasts. Port 0 takes a free one; `tell` gets every report."""

    def __init__(
        self,
        *,
        address: int = 88888,
        device: int = 889,
        host: str = "127.0.0.1",
        port: int = 0,
        tell: Callable[[Report], None] = lambda _report: None,
    ) -> None:
        self.address, self.device, self.host, self.port = address, device, host, port
        self.manners = Manners.HONEST
        self.delay_s = 0.0
        self.refuse: Callable[[Frame], bool] = lambda _frame: False
        self.ignore: Callable[[Frame], bool] = lambda _frame: False
        self.accepted: list[Report] = []
        self.heard: list[Frame] = []
        self.noise = 0
        self.connections = 0
        self.tell = tell
        self._serial = 0
        self._answers: dict[int, asyncio.Future[Frame]] = {}
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._changed = asyncio.Event()

    async def __aenter__(self) -> "SimCentre":
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.shut()

    async def open(self) -> None:
        """Begin to listen, on the port it had before if it had one."""
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Be gone: nobody listens, nobody is connected."""
        self.drop()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def drop(self) -> None:
        """Break all connections."""
        for writer in self._writers:
            writer.transport.abort()

    @property
    def connected(self) -> bool:
        """Return whether a device is connected."""
        return bool(self._writers)

    def objects(self, make: type[Object]) -> list[Object]:
        """Return all objects of a sort that were taken, in order."""
        found = (each for report in self.accepted if report.unit for each in report.unit.objects)
        return [each for each in found if type(each) is make]

    async def until(self, condition: Callable[["SimCentre"], bool]) -> None:
        """Return once a condition on this centre is true."""
        while not condition(self):
            self._changed.clear()
            await self._changed.wait()

    async def ask(self, command: Command, unit: bytes) -> Frame:
        """Send a question or an order; return what the device answers."""
        self._serial = (self._serial + 1) % SERIALS
        serial = self._serial
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._answers[serial] = answer
        self.send(Frame(serial, command, self.address, self.device, self._stamp(), unit))
        try:
            return await answer
        finally:
            self._answers.pop(serial, None)

    def send(self, *packets: Frame | bytes) -> None:
        """Send packets, or any bytes, to whoever is connected."""
        for writer in self._writers:
            for each in packets:
                writer.write(each if isinstance(each, bytes) else frames.encode(each))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        buffer = bytearray()
        try:
            while data := await reader.read(16_384):
                buffer += data
                for frame in self._packets(buffer):
                    self._take(frame, writer)
                self._changed.set()
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            self._changed.set()
            writer.close()

    def _packets(self, buffer: bytearray) -> list[Frame]:
        found: list[Frame] = []
        while True:
            try:
                frame = frames.decode(buffer)
            except FrameError:
                self.noise += 1
                continue
            if frame is None:
                return found
            found.append(frame)

    def _take(self, frame: Frame, writer: asyncio.StreamWriter) -> None:
        self.heard.append(frame)
        if frame.command in {Command.CONFIRM, Command.DENY, Command.RESPONSE}:
            waiting = self._answers.get(frame.serial)
            if waiting is not None and not waiting.done():
                waiting.set_result(frame)
            return
        if self.ignore(frame):
            return
        manners = Manners.DENIES if self.refuse(frame) else self.manners
        if manners in {Manners.HONEST, Manners.TWICE}:
            manners = self._accept(frame, manners)
        self._answer(frame, manners, writer)

    def _accept(self, frame: Frame, manners: Manners) -> Manners:
        """Take what a packet says; return how it is answered: a unit that says nothing is refused (6.5)."""
        try:
            unit = units.decode(frame.unit) if frame.unit else None
        except FrameError:
            return Manners.DENIES
        report = Report(time.monotonic(), frame, unit)
        self.accepted.append(report)
        self.tell(report)
        return manners

    def _answer(self, frame: Frame, manners: Manners, writer: asyncio.StreamWriter) -> None:
        data, closes = self._reply(frame, manners)

        def put() -> None:
            if not writer.is_closing():
                writer.write(data)
            if closes:
                writer.close()

        if self.delay_s:
            asyncio.get_running_loop().call_later(self.delay_s, put)
        else:
            put()

    def _reply(self, frame: Frame, manners: Manners) -> tuple[bytes, bool]:
        """Return what goes back for a packet, and whether the connection is closed then."""
        good = Frame(frame.serial, Command.CONFIRM, self.address, self.device, self._stamp())
        whole = frames.encode(good)
        replies = {
            Manners.HONEST: whole,
            Manners.TWICE: whole * 2,
            Manners.DENIES: frames.encode(replace(good, command=Command.DENY)),
            Manners.WRONG_SERIAL: frames.encode(replace(good, serial=(frame.serial + 1000) % SERIALS)),
            Manners.WRONG_ADDRESS: frames.encode(replace(good, source=(self.address + 1) % ADDRESSES)),
            Manners.GARBAGE: b"@@##" + bytes(range(64)) + b"@@",
            Manners.BROKEN_SUM: whole[:-3] + bytes([whole[-3] ^ 0xFF]) + whole[-2:],
            Manners.CUT_SHORT: whole[:20],
        }
        return replies.get(manners, b""), manners in {Manners.CUT_SHORT, Manners.HANGS_UP}

    def _stamp(self) -> bytes:
        return stamps.stamp(time.time(), OFFSET_H)


def said(report: Report) -> list[Text]:
    """Return what a report says, a line for each object, as somebody at a centre would read it."""
    if report.unit is None:
        return [Text("心跳", "heartbeat")]
    return [_said(each) for each in report.unit.objects]


def _said(each: Object) -> Text:
    tables = standard()
    match each:
        case ComponentState():
            zone, number = units.zone_and_number(each.place)
            what, bits = tables.title("component", each.component), _bits("state", each.state)
            return Text(
                f"{what.zh} {zone} 区 {number} 号 {text.read(each.text)}：{bits.zh}",
                f"{what.en} {zone}.{number}: {bits.en}",
            )
        case SystemState():
            what, bits = tables.title("system", each.system), _bits("system_state", each.state)
            return Text(f"{what.zh}：{bits.zh}", f"{what.en}: {bits.en}")
        case DeviceState():
            bits = _bits("device_state", each.state)
            return Text(f"传输装置：{bits.zh}", f"transmission device: {bits.en}")
        case Operation() | DeviceOperation():
            bits = _bits("operation", each.operation)
            return Text(
                f"操作：{bits.zh}（操作员 {each.operator}）",
                f"operation: {bits.en} (operator {each.operator})",
            )
        case Analog():
            zone, number = units.zone_and_number(each.place)
            found = [q for q in tables.quantities.values() if q.number == each.quantity]
            value = f"{each.value * found[0].step:g} {found[0].unit}" if found else str(each.value)
            what = tables.title("quantity", each.quantity)
            return Text(f"{zone} 区 {number} 号 {what.zh} {value}", f"{zone}.{number} {what.en} {value}")
        case _:
            return Text(repr(each), "")


def _bits(table: str, word: int) -> Text:
    titles = [each.title for each in standard().set_bits(table, word)]
    if table != "operation" and not word & 1:
        titles.insert(0, Text("测试", "test"))
    return Text(
        "、".join(each.zh for each in titles) or "无", ", ".join(each.en for each in titles) or "nothing"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Listen and print until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m drivers.sim.centre", description=__doc__)
    parser.add_argument("--port", type=int, default=5000, help="(default 5000)")
    parser.add_argument("--host", default="127.0.0.1", help="(default 127.0.0.1)")
    parser.add_argument("--address", type=int, default=88888, help="of the centre (default 88888)")
    parser.add_argument("--device", type=int, default=889, help="of the device (default 889)")
    options = parser.parse_args(arguments)

    def tell(report: Report) -> None:
        for line in said(report):
            print(f"{time.strftime('%H:%M:%S')}  {line.zh}  {line.en}", flush=True)

    async def listen() -> None:
        ends = {"address": options.address, "device": options.device}
        async with SimCentre(**ends, host=options.host, port=options.port, tell=tell) as centre:
            print(f"listening on {centre.host}:{centre.port}", flush=True)
            await asyncio.get_running_loop().create_future()

    try:
        asyncio.run(listen())
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())

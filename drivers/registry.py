"""The drivers there are: one dict, one line per driver."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from drivers.api import Device, Driver, LineSettings, ReportTo
from drivers.crowding import Asked
from drivers.framed import driver as framed
from drivers.framed import tables as framed_tables
from drivers.modbus import driver as modbus
from drivers.modbus import tables as modbus_tables
from drivers.osdp import tables as osdp_tables
from drivers.osdp.driver import OsdpDriver
from drivers.printer import tables as printer_tables
from drivers.printer.driver import PrinterDriver
from drivers.reader import TableReader
from drivers.transport import OpenStream, open_stream


class OpenDriver(Protocol):
    """Makes the driver of a line. `clock` must be that of the event loop it will run on."""

    def __call__(
        self,
        settings: LineSettings,
        devices: Sequence[Device],
        report: ReportTo,
        *,
        clock: Callable[[], float] = time.monotonic,
        open_stream: OpenStream = open_stream,
    ) -> Driver:
        """Return a driver for these devices; nothing is opened before it runs."""


@dataclass(frozen=True, slots=True)
class DriverKind:
    """What a driver is to those who do not know it: three parsers for its part of a profile, `open`, and `asked`.

    The parsers note mistakes in the reader they are given. `wire_of_profile` also gets the names of the
    profile's points, `wire_of_action` the names of the action's arguments. `asked` is what a line of such devices is
    asked for; nothing where it only listens, or asks as fast as the line allows.
    """

    wire_of_profile: Callable[[TableReader, Sequence[str]], object]
    wire_of_point: Callable[[TableReader], object]
    wire_of_action: Callable[[TableReader, tuple[str, ...]], object]
    open: OpenDriver
    asked: Callable[[LineSettings, Sequence[Device]], Sequence[Asked]] = lambda _settings, _devices: ()


DRIVERS: Final[Mapping[str, DriverKind]] = {
    "modbus": DriverKind(
        modbus_tables.wire_of_profile,
        modbus_tables.wire_of_point,
        modbus_tables.wire_of_action,
        modbus.ModbusDriver,
        modbus.asked,
    ),
    "osdp": DriverKind(
        osdp_tables.wire_of_profile,
        osdp_tables.wire_of_point,
        osdp_tables.wire_of_action,
        OsdpDriver,
    ),
    "framed": DriverKind(
        framed_tables.wire_of_profile,
        framed_tables.wire_of_point,
        framed_tables.wire_of_action,
        framed.FramedDriver,
        framed.asked,
    ),
    "printer": DriverKind(
        printer_tables.wire_of_profile,
        printer_tables.wire_of_point,
        printer_tables.wire_of_action,
        PrinterDriver,
    ),
}

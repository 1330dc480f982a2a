"""Two slaves of pymodbus on a serial port: python pymodbus_server.py PORT."""

import asyncio
import sys

from pymodbus import FramerType
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice


def device(address: int) -> SimDevice:
    """Return a slave whose registers hold its address in the high byte."""
    registers = [address << 8 | index for index in range(8)]
    bits = [SimData(0, values=[True, False, True, True] + [False] * 12, datatype=DataType.BITS)]
    words = [SimData(0, values=registers, datatype=DataType.REGISTERS)]
    return SimDevice(address, simdata=(bits, bits, words, words))


async def main() -> None:
    """Serve until killed."""
    server = ModbusSerialServer(
        [device(3), device(4)],
        framer=FramerType.RTU,
        port=sys.argv[1],
        baudrate=9600,
    )
    print("ready", flush=True)
    await server.serve_forever()


asyncio.run(main())

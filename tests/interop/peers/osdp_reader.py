"""A card reader in a process of its own: libosdp's peripheral as its own Python wrapper runs it, thread and all.

    osdp_reader.py PORT ADDRESS KEY

Takes lines on stdin: "card BITS HEX", "keys TEXT". Says "ready", and what it is told to do as JSON.
"""

import json
import sys

import serial
from osdp import Capability, Channel, LibFlag, LogLevel, PDCapabilities, PDInfo, PeripheralDevice


class Port(Channel):  # type: ignore[misc]
    def __init__(self, path: str) -> None:
        super().__init__()
        self.port = serial.Serial(path, 115200, timeout=0)

    def read(self, max_bytes: int) -> bytes:
        return bytes(self.port.read(max_bytes))

    def write(self, buf: bytes) -> int:
        return int(self.port.write(buf) or 0)

    def flush(self) -> None:
        self.port.reset_input_buffer()


def obey(command: dict[str, object]) -> tuple[int, None]:
    if command["command"] == 9:  # its binding cannot answer a question for states
        return -1, None
    sys.stdout.write(json.dumps({k: v for k, v in command.items() if not isinstance(v, bytes)}) + "\n")
    sys.stdout.flush()
    return 0, None


def main(path: str, address: str, key: str) -> None:
    capabilities = PDCapabilities([
        (Capability.OutputControl, 1, 1),
        (Capability.ContactStatusMonitoring, 1, 2),
        (Capability.LEDControl, 1, 1),
        (Capability.AudibleControl, 1, 1),
        (Capability.CommunicationSecurity, 1, 1),
    ])  # fmt: skip
    info = PDInfo(int(address), Port(path), scbk=bytes.fromhex(key), flags=[LibFlag.EnforceSecure])
    device = PeripheralDevice(info, capabilities, log_level=LogLevel.Emergency, command_handler=obey)
    device.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    try:
        for line in sys.stdin:
            match line.split():
                case "card", bits, data:
                    device.submit_event({
                        "event": 1, "reader_no": 0, "format": 1, "direction": 0, "length": int(bits),
                        "data": bytes.fromhex(data),
                    })  # fmt: skip
                case "keys", text:
                    device.submit_event({"event": 2, "reader_no": 0, "data": text.encode()})
    finally:
        device.teardown()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A control panel by another author (PyPI `osdp`, pure Python), in an environment of its own.

    osdp_master.py PORT ADDRESS MASTER_KEY

Says what it sees as JSON, one fact a line; switches output 0 on for two seconds once it has seen a card.
"""

import json
import sys
import threading
import time
from typing import Any

import osdp


def say(**fact: object) -> None:
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


def main(path: str, address_text: str, master_key: str) -> None:
    address, seen = int(address_text), threading.Event()

    class Panel(osdp.ControlPanel):  # type: ignore[misc]
        def on_raw_card_data_reply_received(self, _address: int, card: Any) -> None:
            say(card=card.data.hex(), bits=card.bit_count)
            seen.set()

        def on_keypad_data_reply_received(self, _address: int, keys: Any) -> None:
            say(keys=bytes(keys.data).hex())

    panel = Panel(bytes.fromhex(master_key))
    bus = panel.start_connection(osdp.SerialPortOsdpConnection(port=path, baud_rate=115200))
    panel.add_device(bus, address, True, True)
    end = time.monotonic() + 15.0
    while not panel.is_online(bus, address) and time.monotonic() < end:
        time.sleep(0.02)
    say(online=panel.is_online(bus, address))
    found = panel.id_report(bus, address)
    say(serial=found.serial_number, model=found.model_number)
    states = panel.input_status(bus, address)
    say(inputs=[bool(state) for state in states.statuses])
    local = panel.local_status(bus, address)
    say(tamper=bool(local.tamper))
    if seen.wait(10.0):
        code = osdp.OutputControlCode.TemporaryStateOnResumePermanentState
        timed = osdp.OutputControls([osdp.OutputControl(0, code, 20)])
        say(unlocked=panel.output_control(bus, address, timed))
    time.sleep(0.5)
    panel.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What the wizard shows in the end: each device's values, the faults of a file, the gateway's own status."""

import time
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from drivers.api import Reading
from gateway import configuration
from gateway.setup.polling import Heard
from gateway.terminal import faults as fault_list
from gateway.terminal import status as status_screen
from gateway.terminal.client import Client
from gateway.terminal.document import Status, read
from gateway.terminal.errors import ToolError
from gateway.terminal.figures import BAD, GOOD
from gateway.terminal.words import Words

MOST_POINTS: Final = 4
START_S: Final = 60.0
PAUSE_S: Final = 0.5


def values(heard: Heard, words: Words, console: Console) -> None:
    """Print a line for each device: what it measures, or that it does not answer."""
    for name, points in heard.values.items():
        if name in heard.silent:
            line = Text("✗ ", BAD).append(name, "bold").append(f"  {words('setup.silent')}", BAD)
        else:
            line = Text("✓ ", GOOD).append(name, "bold")
            for reading in list(points.values())[:MOST_POINTS]:
                line.append(f"  {reading.point} {_value(reading)}")
        console.print(line, soft_wrap=True)


def _value(reading: Reading) -> str:
    if isinstance(reading.value, bool) or reading.value is None:
        return str(reading.value).lower()
    return f"{reading.value:g}{f' {reading.unit}' if reading.unit else ''}"


def warnings(checked: configuration.Checked, words: Words, console: Console) -> None:
    """Print what `check` remarks upon in a file that is good: a line that is asked for too much, say."""
    fault_list.show(checked.faults, words, console)


def faults(checked: configuration.Checked, words: Words, console: Console) -> None:
    """Print what `check` found, and that nothing was written."""
    fault_list.show(checked.faults, words, console)
    console.print(f"✗ {words('setup.not_written')}", style=BAD, markup=False, soft_wrap=True)


def status(file: Path, words: Words, console: Console) -> None:
    """Print the gateway's status as soon as it answers; ToolError when it does not within a minute."""
    client, end = Client(configuration.control_sockets(file)), time.monotonic() + START_S
    while True:
        try:
            told = client.ask("status")["status"]
            break
        except ToolError:
            if time.monotonic() > end:
                raise
            time.sleep(PAUSE_S)
    console.print(status_screen.screen(read(Status, told), words))

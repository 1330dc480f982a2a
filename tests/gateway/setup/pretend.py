"""Lines on ptys for the wizard, in a thread of this process, and the wizard itself over them."""

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from click.testing import CliRunner, Result

from drivers import profile as profile_files
from drivers.api import LineSettings
from drivers.sim.line import SimLine
from drivers.sim.modbus import SimDevice
from drivers.sim.pty_line import PtyLine
from gateway.cli import cli
from gateway.core.toml_text import toml

SMOKE, DOOR = "sonbest-sm7571b", "waveshare-door"
FIRST = "1-6"  # a short search: nobody tests the addresses up to 247 here
STARTED_S = 20.0


def device(product: str, address: int) -> SimDevice:
    """Return a pretend device."""
    return SimDevice(profile_files.load(product), address, name=f"{product}-{address}")


@contextmanager
def lines(folder: Path, **wired: Sequence[SimDevice]) -> Iterator[Mapping[str, str]]:
    """Have these lines on ptys; yield the port of each by its name."""
    ready, ports = threading.Event(), {name: str(folder / f"tty-{name}") for name in wired}
    loop = asyncio.new_event_loop()
    end = asyncio.Event()

    async def serve() -> None:
        with ExitStack() as stack:
            for name, devices in wired.items():
                line = SimLine(
                    LineSettings(name, "", 9600, "none"), list(devices), turnaround_s=0.002, paced=False
                )
                stack.enter_context(PtyLine(line, link=Path(ports[name])))
            ready.set()
            await end.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="pretend lines")
    thread.start()
    try:
        assert ready.wait(STARTED_S)
        yield ports
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(STARTED_S)
        loop.close()


def answered(folder: Path, *more: str, language: str = "en", **answers: object) -> Result:
    """Play the wizard with a file of answers; the configuration goes to gateway.toml in the folder."""
    file = folder / "answers.toml"
    file.write_text("".join(f"{key} = {toml(value)}\n" for key, value in answers.items()), encoding="utf-8")
    return played(folder, "--answers", str(file), *more, language=language)


def typed(folder: Path, *told: str, language: str = "en") -> Result:
    """Play the wizard with somebody typing these lines."""
    return played(folder, language=language, told="".join(f"{line}\n" for line in told))


def played(folder: Path, *more: str, language: str, told: str = "") -> Result:
    """Play the wizard."""
    where = [
        "--lang",
        language,
        "setup",
        "-o",
        str(folder / "gateway.toml"),
        "--address",
        FIRST,
        "--baud",
        "9600",
    ]
    return CliRunner().invoke(cli, [*where, *more], input=told, env={"COLUMNS": "120"})

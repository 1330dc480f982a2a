"""Our master against slaves not written by us, over pairs of ptys: libmodbus, pymodbus, npm's modbus-serial."""

import asyncio
import contextlib
import os
import selectors
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from drivers import profile
from drivers.api import Device, DriverError, LineSettings, Profile, Quality, Reading, Report
from drivers.modbus.driver import ModbusDriver

T = TypeVar("T")

PEERS = Path(__file__).parent / "peers"
LIBMODBUS_EXAMPLES = Path("/usr/share/doc/libmodbus-dev/examples")
MODBUS_SERIAL = "modbus-serial@8.0.25"

HEAD = """
[profile]
driver = "modbus"
category = "input"
title = {{ zh = "对端", en = "Peer" }}
sources = ["tests/interop"]

[timing]
timeout_s = 0.3

[modbus]
bridge = false
{points}
"""


def product(*points: str, actions: str = "") -> Profile:
    """Return a product; each point is "name table address [type]"."""
    tables = []
    for point in points:
        name, table, address, *kind = point.split()
        more = f'\ntype = "{kind[0]}"' if kind else ""
        tables.append(f'[[point]]\nname = "{name}"\n{table} = {address}\ninterval_s = 0.1{more}\n')
    return profile.parse(HEAD.format(points="\n".join(tables)) + actions, file="peer.toml")


ACTIONS = """
[[action]]
name = "switch"
title = { zh = "开", en = "Switch" }
arguments = [{ name = "on", minimum = 0, maximum = 1 }]
steps = [{ coil = COIL, value = true }, { coil = COIL, expect = true }]

[[action]]
name = "tune"
title = { zh = "调", en = "Tune" }
arguments = [{ name = "to", minimum = 0, maximum = 65535 }]
steps = [{ holding = HOLDING, value = "to" }, { holding = HOLDING, expect = "to" }]

[[action]]
name = "tune_many"
title = { zh = "调", en = "Tune by function 16" }
arguments = [{ name = "to", minimum = 0, maximum = 65535 }]
steps = [{ holding = HOLDING, value = "to", multiple = true }, { holding = HOLDING, expect = "to" }]
"""


def actions(coil: int, holding: int) -> str:
    switch = ACTIONS.replace('arguments = [{ name = "on", minimum = 0, maximum = 1 }]\n', "")
    return switch.replace("COIL", str(coil)).replace("HOLDING", str(holding))


@pytest.fixture
def pty_pair(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A serial cable: our end and the peer's."""
    if shutil.which("socat") is None:
        pytest.skip("socat is not installed")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    cable = subprocess.Popen(["socat", f"pty,raw,echo=0,link={ours}", f"pty,raw,echo=0,link={theirs}"])
    try:
        while not (ours.exists() and theirs.exists()):
            assert cable.poll() is None, "socat gave up"
            os.sched_yield()
        yield str(ours), str(theirs)
    finally:
        cable.terminate()
        cable.wait()


@contextlib.contextmanager
def peer(*command: str, env: dict[str, str] | None = None, ready: bool = True) -> Iterator[None]:
    """Run a slave; wait for it to say "ready"."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, text=True)
    assert process.stdout is not None
    try:
        if ready:
            assert "ready" in process.stdout.readline()
        yield
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


class Master:
    """Our driver on a port, and what it reported."""

    def __init__(self, port: str, devices: dict[int, Profile], baud: int) -> None:
        self.reports: list[Report] = []
        settings = LineSettings("cable", port, baud=baud)
        self.driver = ModbusDriver(
            settings,
            [Device(f"d{address}", made, address) for address, made in devices.items()],
            self.reports.append,
        )

    def good(self, device: str) -> dict[str, object]:
        """Return the last good values of a device."""
        return {
            r.point: r.value
            for r in self.reports
            if isinstance(r, Reading) and r.device == device and r.quality is Quality.GOOD
        }

    async def until(self, condition: Callable[[], object], *, within_s: float = 20.0) -> None:
        async with asyncio.timeout(within_s):
            while not condition():
                await asyncio.sleep(0.02)

    async def act(self, device: str, action: str, **arguments: float) -> str:
        deadline = asyncio.get_running_loop().time() + 5
        return (await self.driver.act(device, action, arguments, deadline=deadline)).detail


@contextlib.asynccontextmanager
async def master(port: str, devices: dict[int, Profile], *, baud: int = 9600) -> AsyncIterator[Master]:
    made = Master(port, devices, baud)
    running = asyncio.create_task(made.driver.run(), name="driver")
    try:
        yield made
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def run(main: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        return runner.run(main)


# --- libmodbus ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def libmodbus_server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """libmodbus's own unit-test server, compiled to take its port from the environment."""
    if not LIBMODBUS_EXAMPLES.is_dir() or shutil.which("gcc") is None:
        pytest.skip("libmodbus-dev or gcc is not installed")
    folder = tmp_path_factory.mktemp("libmodbus")
    source = (LIBMODBUS_EXAMPLES / "unit-test-server.c").read_text()
    source = source.replace('"/dev/ttyUSB0"', 'getenv("PEER_PORT")').replace(
        "<modbus.h>", "<modbus/modbus.h>"
    )
    source = source.replace("    for (;;) {", '    fprintf(stderr, "ready\\n");\n    for (;;) {', 1)
    (folder / "server.c").write_text(source)
    shutil.copy(LIBMODBUS_EXAMPLES / "unit-test.h", folder)
    subprocess.run(["gcc", "-w", "server.c", "-o", "server", "-lmodbus"], cwd=folder, check=True)
    return folder / "server"


@contextlib.contextmanager
def libmodbus(server: Path, port: str) -> Iterator[None]:
    """Serve; its trace would fill a pipe nobody reads, so it goes to a file beside it."""
    trace = server.parent / "trace"
    with trace.open("w") as out:
        process = subprocess.Popen(
            [server, "rtu"], stdout=out, stderr=out, env={**os.environ, "PEER_PORT": port}
        )
        try:
            while "ready" not in trace.read_text():
                assert process.poll() is None, trace.read_text()
                os.sched_yield()
            yield
        finally:
            process.kill()
            process.wait()


PLAIN = (
    "one holding 0x160",
    "two holding 0x162",
    "measured input 0x108",
    "on discrete 0x1C6",
    "coil coil 0x130",
)


def test_libmodbus_is_read_and_written_with_all_functions(
    libmodbus_server: Path, pty_pair: tuple[str, str]
) -> None:
    async def main() -> None:
        made = product(*PLAIN, actions=actions(0x130, 0x162))
        async with master(pty_pair[0], {17: made}, baud=115200) as ours:
            await ours.until(lambda: len(ours.good("d17")) == 5)
            assert ours.good("d17") | {"one": 0, "two": 0, "coil": False} == {
                "one": 0, "two": 0, "measured": 10, "on": True, "coil": False
            }  # fmt: skip
            assert await ours.act("d17", "tune", to=0x0064) == "read back"
            assert await ours.act("d17", "tune_many", to=0x022B) == "read back"
            assert await ours.act("d17", "switch") == "read back"
            await ours.until(lambda: ours.good("d17")["two"] == 0x022B and ours.good("d17")["coil"] is True)
            device = ours.driver.statistics().devices[0]
            assert (device.timeouts, device.crc_errors, device.late) == (0, 0, 0)

    with libmodbus(libmodbus_server, pty_pair[1]):
        run(main())


@pytest.mark.parametrize(
    ("odd", "count"),
    [
        ("busy holding 0x170", "exceptions"),
        ("wrong_slave holding 0x171", "crc_errors"),
        ("wrong_count holding 0x160 u32", "crc_errors"),
    ],
)
def test_libmodbus_odd_answers_give_no_value_and_harm_nothing_else(
    libmodbus_server: Path, pty_pair: tuple[str, str], odd: str, count: str
) -> None:
    async def main() -> None:
        async with master(pty_pair[0], {17: product(odd, *PLAIN[2:])}, baud=115200) as ours:
            await ours.until(lambda: getattr(ours.driver.statistics().devices[0], count) > 1)
            await ours.until(lambda: len(ours.good("d17")) == 3)
            assert set(ours.good("d17")) == {"measured", "on", "coil"}
            assert ours.driver.statistics().devices[0].online

    with libmodbus(libmodbus_server, pty_pair[1]):
        run(main())


def test_libmodbus_half_a_second_late_never_becomes_another_registers_value(
    libmodbus_server: Path, pty_pair: tuple[str, str]
) -> None:
    """The reply to 0x172 (0) comes after its time-out, and looks just like those of 0x160 and 0x162."""

    async def main() -> None:
        made = product(
            "late holding 0x172", "one holding 0x160", "two holding 0x162", actions=actions(0x130, 0x160)
        )
        twice = made.action("tune")
        made = replace(made, actions=(twice, profile.parse(made_text(), file="two.toml").action("tune_two")))
        async with master(pty_pair[0], {17: made}, baud=115200) as ours:
            await ours.act("d17", "tune", to=111)
            await ours.act("d17", "tune_two", to=222)
            start = len(ours.reports)
            await asyncio.sleep(8.0)
            seen = {
                (r.point, r.value)
                for r in ours.reports[start:]
                if isinstance(r, Reading) and r.quality is Quality.GOOD
            }
            assert seen >= {("one", 111), ("two", 222)}
            assert seen <= {("one", 111), ("two", 222), ("late", 0)}
            assert ours.driver.statistics().devices[0].late > 0

    with libmodbus(libmodbus_server, pty_pair[1]):
        run(main())


def made_text() -> str:
    """Return a product that can write register 0x162."""
    return HEAD.format(points='[[point]]\nname = "two"\nholding = 0x162\n') + actions(0x130, 0x162).replace(
        '"tune"', '"tune_two"'
    )


# --- pymodbus -------------------------------------------------------------------------------------


def test_pymodbus_slaves_are_read_and_an_absent_one_has_no_value(pty_pair: tuple[str, str]) -> None:
    async def main() -> None:
        made = product(
            "first holding 0", "eighth input 7", "on discrete 2", "coil coil 0", actions=actions(1, 5)
        )
        async with master(pty_pair[0], {3: made, 4: made, 5: made}) as ours:
            await ours.until(lambda: len(ours.good("d3")) == len(ours.good("d4")) == 4)
            assert ours.good("d3") == {"first": 0x300, "eighth": 0x307, "on": True, "coil": True}
            assert ours.good("d4")["first"] == 0x400
            assert await ours.act("d4", "tune", to=4242) == "read back"
            assert await ours.act("d4", "tune_many", to=4243) == "read back"
            assert await ours.act("d3", "switch") == "read back"
            # this server speaks for a slave it does not have, with exceptions
            await ours.until(lambda: ours.driver.statistics().devices[2].exceptions)
            assert ours.good("d5") == {}

    with peer(sys.executable, str(PEERS / "pymodbus_server.py"), pty_pair[1]):
        run(main())


# --- modbus-serial --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def modbus_serial() -> Path:
    """npm's modbus-serial, installed once into the cache folder."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm is not installed")
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "compound-gateway-tests"
    modules = cache / "node_modules"
    if not (modules / "modbus-serial").is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(cache), MODBUS_SERIAL]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    return modules


def test_modbus_serial_is_read_and_written(modbus_serial: Path, pty_pair: tuple[str, str]) -> None:
    async def main() -> None:
        made = product("one holding 0", "far input 3", "on discrete 1", "coil coil 0", actions=actions(1, 2))
        async with master(pty_pair[0], {7: made, 8: made}) as ours:
            await ours.until(lambda: len(ours.good("d7")) == 4)
            assert ours.good("d7") == {"one": 701, "far": 7003, "on": True, "coil": True}
            assert await ours.act("d7", "switch") == "read back"
            assert await ours.act("d7", "tune", to=1234) == "read back"
            with pytest.raises(DriverError, match="answer"):
                await ours.act("d8", "switch")

    env = {**os.environ, "NODE_PATH": str(modbus_serial)}
    with peer("node", str(PEERS / "modbus_serial_server.js"), pty_pair[1], env=env):
        run(main())

"""`demo --port-only`: nothing but the pretend compound on ptys, to try tools and configurations on."""

import asyncio
import signal
import tempfile
from pathlib import Path

from rich.console import Console

from drivers.sim.compound import compound
from gateway.demo.site import gateway_toml
from gateway.demo.world import served, turn

HELP = """\
[bold]试试 try:[/]  compound-gateway scan {port} --baud 9600
           compound-gateway check -c {file}
           compound-gateway run   -c {file}
"""


async def ports_only(*, seconds: float, seed: int) -> int:
    """Serve the compound until Ctrl-C, or for so many seconds; print its ports and a configuration for them."""
    world = compound(seed=seed)
    console = Console(highlight=False)
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    with tempfile.TemporaryDirectory(prefix="compound-gateway-ports-") as name:
        folder = Path(name)
        with served(world, folder) as ports:
            file = folder / "gateway.toml"
            text = gateway_toml(world, ports=ports, broker_url="mqtt://127.0.0.1", state_dir=f"{name}/state")
            file.write_text(text, encoding="utf-8")
            for line, port in ports.items():
                console.print(
                    f"[green]{line}[/]  {port}  {len(world.on_line[line])} 台设备 devices", soft_wrap=True
                )
            console.print(HELP.format(port=next(iter(ports.values())), file=file), end="", soft_wrap=True)
            turning = asyncio.create_task(turn(world), name="world")
            try:
                async with asyncio.timeout(seconds or None):
                    await ended.wait()
            except TimeoutError:
                pass
            finally:
                turning.cancel()
    return 0

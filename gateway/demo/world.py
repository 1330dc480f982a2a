"""The simulated compound in this process: its lines served on ptys, its time turned."""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from drivers.sim.pty_line import PtyLine
from drivers.sim.world import World

STEP_S = 0.1


@contextlib.contextmanager
def served(world: World, folder: Path) -> Iterator[Mapping[str, str]]:
    """Serve every line of the world on a pty; yield the path of each by the line's name."""
    with contextlib.ExitStack() as stack:
        shells = {
            name: stack.enter_context(PtyLine(line, link=folder / f"tty-{name}"))
            for name, line in world.lines.items()
        }
        yield {name: shell.path for name, shell in shells.items()}


async def turn(world: World) -> None:
    """Let the world go on, ten times a second, until cancelled."""
    while True:
        world.step(asyncio.get_running_loop().time())
        await asyncio.sleep(STEP_S)

"""A pretend fire centre on a thread of its own, for tests and benches whose gateway is another process."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from drivers.sim.centre import Report, SimCentre


@contextmanager
def centre_thread() -> Iterator[SimCentre]:
    """Have a centre that listens while the block lasts; its `accepted` may be read from here, and manners set."""
    ready, loop = threading.Event(), asyncio.new_event_loop()
    centre = SimCentre()

    def listen() -> None:
        loop.run_until_complete(centre.open())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(centre.shut())
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    thread = threading.Thread(target=listen, name="fire centre")
    thread.start()
    try:
        assert ready.wait(10)
        yield centre
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


def told(centre: SimCentre) -> list[Report]:
    """Return what was taken so far, without heartbeats."""
    return [report for report in list(centre.accepted) if report.unit is not None]


def table(centre: SimCentre, **more: object) -> str:
    """Return the `[[fire_centre]]` of this centre; `more` are keys as they stand in TOML."""
    lines = [f"{key} = {value}" for key, value in more.items()]
    head = f'\n[[fire_centre]]\nname = "district"\nurl = "tcp://{centre.host}:{centre.port}"\n'
    ends = f"address = {centre.device}\ncentre_address = {centre.address}\n"
    return head + ends + "\n".join(lines) + "\n"

"""Run the demo: world, ports, broker, the very same app as `run` and desk as `desk`, in one event loop."""

import asyncio
import contextlib
import logging
import signal
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import click
from rich.console import Console

from drivers.sim.centre import SimCentre
from drivers.sim.community import community
from drivers.sim.compound import Wiring
from drivers.sim.world import DEEDS, World
from gateway import app, configuration
from gateway.core.events import Words
from gateway.demo import facade as facades
from gateway.demo import story as stories
from gateway.demo.broker import Broker, free_port, running_broker
from gateway.demo.facade import Facade
from gateway.demo.office import OPERATOR, Office, key, office
from gateway.demo.ports import ports_only
from gateway.demo.show import Show
from gateway.demo.site import camera, gateway_toml
from gateway.demo.world import STEP_S, served, turn
from gateway.runtime.loop import run

PORTS_TRIED = 10
WIRING = Wiring(baud=19200)  # the yard has 18 devices that want to be asked often
ARRIVAL_S = 10.0  # how long the last alerts may take once the broker is back
BUILDING = "2"  # which the camera looks up
COUNTED = {
    "smoke": "烟感 detectors",
    "tilt": "井盖 covers",
    "door": "门 doors",
    "level": "液位测距 levels",
    "radar": "雷达 radars",
}
NO_CAMERA = Words(
    "这里看不了摄像头，跳过有人扔瓶子的一幕；安装视频组件：pip install 'compound-gateway[vision]'",
    "no camera can be watched here, so no bottle falls; for the vision parts: pip install 'compound-gateway[vision]'",
)


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked on the command line. `seconds` 0 means until Ctrl-C; `host` is where the page listens."""

    port: int = 8080
    host: str = "127.0.0.1"
    script: Path | None = None
    only: tuple[str, ...] = ()
    seconds: float = 0.0
    seed: int = 1


def main(
    *, port: int, script: Path | None, only: tuple[str, ...], seconds: float | None, port_only: bool
) -> int:
    """Play the demo, or serve its ports only; return the exit status. What is wrong is told in one line."""
    logging.getLogger("gateway").setLevel(logging.ERROR)  # the broker is lost on purpose; the story tells it
    logging.getLogger("gateway.desk.broker").setLevel(logging.CRITICAL)
    options = Options(port=port, script=script, only=only, seconds=seconds or 0.0)
    try:
        if port_only:
            return run(ports_only(seconds=options.seconds, seed=options.seed))
        return run(demo(options))
    except (stories.StoryError, OSError) as error:
        click.echo(f"compound-gateway demo: {error}", err=True)
        return 1


async def demo(options: Options) -> int:
    """Play the demo to its end; return 0 when everything raised was delivered.

    Raises StoryError for a story that cannot be played, OSError when no port is free for the page.
    """
    world = community(seed=options.seed, wiring=WIRING)
    # before anything starts: a mistake in it is said at once
    story = load_story(options.script, world, options.only)
    with tempfile.TemporaryDirectory(prefix="compound-gateway-demo-") as name:
        folder = Path(name)
        async with running_broker(folder) as (broker, url), _facade() as facade, SimCentre() as centre:
            with served(world, folder) as ports:
                file = folder / "gateway.toml"
                text = gateway_toml(
                    world,
                    ports=ports,
                    broker_url=url,
                    state_dir=str(folder / "state"),
                    cameras=[_camera(facade)] if facade else [],
                    desk=(OPERATOR, key(folder)),
                    centre=(f"tcp://{centre.host}:{centre.port}", centre.device, centre.address),
                )
                text += resources.files("gateway.demo").joinpath("assets.toml").read_text(encoding="utf-8")
                file.write_text(text, encoding="utf-8")
                return await Stage(options, world, story, broker, facade, centre=centre).play(url, folder)


class Stage:
    """Everything of one demo that is running."""

    def __init__(
        self,
        options: Options,
        world: World,
        story: stories.Story,
        broker: Broker,
        facade: Facade | None,
        *,
        centre: SimCentre,
    ) -> None:
        self._options, self._world, self._story = options, world, story
        self._broker, self._facade, self._centre = broker, facade, centre
        self._show = Show(Console(highlight=False), time.monotonic())
        centre.tell = self._show.centre
        self._interrupted = asyncio.Event()

    async def play(self, url: str, folder: Path) -> int:
        """Run until the time is over or somebody presses Ctrl-C."""
        stop, ready = asyncio.Event(), asyncio.Event()
        port = free_port_from(self._options.host, self._options.port)
        checked = configuration.load(folder / "gateway.toml")
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._interrupted.set)
        desk = office(folder, broker_url=url, host=self._options.host, port=port, paged=self._show.paged)
        async with desk as opened, asyncio.TaskGroup() as group:
            opened.desk.intake.ears.receipt.append(self._receipt)
            gateway = group.create_task(
                app.serve(checked, stop=stop, ready=ready.set, on_event=self._show.alert), name="gateway"
            )
            turning = group.create_task(turn(self._world), name="world")
            await ready.wait()
            self._show.opening(self._story.title, self._facts(opened))
            await self._tell_until_end(group)
            stop.set()
            await gateway
            turning.cancel()
        self._show.closing(time.monotonic())
        return 0 if not self._show.tally.missing else 1

    async def _tell_until_end(self, group: asyncio.TaskGroup) -> None:
        telling = group.create_task(self._tell(), name="story")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._options.seconds or None):
                await self._interrupted.wait()
        telling.cancel()
        await self._broker.start()  # a story may end while the broker is lost
        end = time.monotonic() + ARRIVAL_S
        while self._show.tally.missing and time.monotonic() < end:  # noqa: ASYNC110  # a tally rings no bell
            await asyncio.sleep(STEP_S)

    async def _tell(self) -> None:
        began = time.monotonic()
        for scene in self._story.scenes:
            await asyncio.sleep(began + scene.at_s - time.monotonic())
            if scene.do == stories.THROW and self._facade is None:
                self._show.scene(NO_CAMERA, time.monotonic())
                continue
            if scene.text.zh or scene.text.en:
                self._show.scene(scene.text, time.monotonic())
            await self._do(scene)

    async def _do(self, scene: stories.Scene) -> None:
        match scene.do:
            case "say":
                return
            case "broker_lost":
                await self._broker.stop()
            case "broker_back":
                await self._broker.start()
            case "centre_lost":
                await self._centre.shut()
            case "centre_back":
                await self._centre.open()
            case stories.THROW:
                if self._facade is not None:
                    self._facade.throw()
            case stories.SHOW:
                device, _, point = scene.target.rpartition(".")
                self._world.device(device).set(point, scene.value)
            case deed:
                try:
                    self._world.do(deed, scene.target)
                except (
                    ValueError
                ) as error:  # the story asks something this device cannot do; the rest goes on
                    self._show.scene(Words(f"做不到：{error}", f"cannot be done: {error}"), time.monotonic())

    def _receipt(self, _gateway: str, payload: bytes) -> None:
        self._show.stored(payload, time.monotonic())

    def _facts(self, opened: Office) -> list[tuple[str, str]]:
        kinds = [device.profile.category for device in self._world.devices.values()]
        counted = " · ".join(f"{kinds.count(kind)} {name}" for kind, name in COUNTED.items())
        counted += " · 1 摄像头 camera" if self._facade else ""
        return [
            ("小区 compound", counted),
            ("总线 lines", " · ".join(self._world.lines)),
            ("服务器 broker", self._broker.name),
            ("消防监控中心 fire centre", f"{self._centre.host}:{self._centre.port}, GB/T 26875.3"),
            *((f"{person} 的手机 phone", address) for person, address in opened.doors.items()),
            ("结束 to end", f"{self._options.seconds:g} s" if self._options.seconds else "Ctrl-C"),
        ]


@contextlib.asynccontextmanager
async def _facade() -> AsyncIterator[Facade | None]:
    """Yield the camera; None where cameras cannot be watched."""
    if not facades.available():
        yield None
        return
    async with facades.facade() as facade:
        yield facade


def _camera(facade: Facade) -> dict[str, object]:
    return camera(facades.NAME, facade.url, building=BUILDING, view=facades.view())


def load_story(script: Path | None, world: World, only: Collection[str] = ()) -> stories.Story:
    """Return the story of a file, or ours; StoryError when it cannot be played in this world."""
    if script is None:
        text = resources.files("gateway.demo").joinpath("story.toml").read_text(encoding="utf-8")
    else:
        try:
            text = script.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise stories.StoryError(f"{script}: {error}") from error
    cast = stories.Cast(
        DEEDS,
        frozenset((*world.devices, *world.lines)),
        frozenset(f"{device.name}.{point}" for device in world.devices.values() for point in device.points),
        frozenset((facades.NAME,)),
    )
    return stories.parse(text, file=str(script or "story.toml"), cast=cast, only=only)


def free_port_from(host: str, port: int) -> int:
    """Return the first free TCP port from `port` on, any for 0; OSError when ten in a row are taken."""
    if port == 0:
        return free_port()
    for offset in range(PORTS_TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port + offset))
            except OSError:
                if offset == PORTS_TRIED - 1:
                    raise
                continue
            return port + offset
    raise AssertionError("the loop returns or raises")

"""What tests of the gateway's side of a camera stand on: a configured camera, a pretended process, what was told."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from gateway.core.events import Body, FallBody, LinkBody, PictureBody
from gateway.runtime import loop
from gateway.runtime.supervisor import Supervisor
from gateway.runtime.systemd import Notifier
from gateway.vision.child import Begin, own
from gateway.vision.keeper import Keeper
from gateway.vision.messages import Look, Setup
from gateway.vision.service import Camera, Vision
from gateway.vision.store import EvidenceStore
from gateway.vision.views import Views

PRETEND = Path(__file__).with_name("pretend.py")
MB = 1024 * 1024
PASSWORD = "hunter2"
URL = "rtsp://192.168.1.30/stream1"


def setup(folder: Path, name: str = "north", *, url: str = URL, memory_mb: int = 300) -> Setup:
    return Setup(
        camera=name,
        url=url,
        password=PASSWORD,
        watch=(),
        ignore=(),
        floors=((0.2, 8), (0.6, 5)),
        evidence_dir=str(folder / "evidence"),
        room=0,
        title="building 2",
        privacy=False,
        memory_max_bytes=memory_mb * MB,
        max_falls_per_minute=6,
    )


class Watched:
    """Vision over pretended processes, under a supervisor. `told` is every event body submitted."""

    def __init__(
        self,
        folder: Path,
        mode: str,
        *,
        names: tuple[str, ...] = ("north",),
        memory_mb: int = 300,
        silent_s: float = 10.0,
        begin: Begin | None = None,
        url: str = URL,
        password_file: str = "",
    ) -> None:
        self.told: list[Body] = []
        self.needed: set[str] = set()
        self.looks: dict[str, Look] = {}
        given = [setup(folder, name, url=url, memory_mb=memory_mb) for name in names]
        cameras = [Camera(each, password_file) for each in given]
        self.vision = Vision(
            cameras,
            EvidenceStore(folder / "evidence", quota_bytes=16 * MB),
            Views(folder),
            submit=self.told.append,
            open_evidence=lambda: self.needed,
            begin=begin or own((sys.executable, str(PRETEND), mode)),
            looks=lambda: self.looks,
            silent_s=silent_s,
        )
        self.supervisor = Supervisor(Notifier())
        for name, run in self.vision.services.items():
            self.supervisor.add(name, run)

    @property
    def keeper(self) -> Keeper:
        return self.vision.keepers[0]

    def falls(self) -> list[FallBody]:
        return [body for body in self.told if isinstance(body, FallBody)]

    def links(self) -> list[bool]:
        return [body.up for body in self.told if isinstance(body, LinkBody)]

    def wrong(self) -> list[str]:
        return [body.kind for body in self.told if isinstance(body, PictureBody) and body.wrong]

    def until(self, condition: Callable[[], object], *, within_s: float = 20.0) -> None:
        """Run until `condition` holds, then stop everything in order."""

        async def live() -> None:
            task = asyncio.create_task(self.supervisor.run())
            try:
                async with asyncio.timeout(within_s):
                    while not condition():
                        await asyncio.sleep(0.01)
            finally:
                task.cancel()
                await asyncio.wait([task])

        loop.run(live())

"""Cameras in a service of their own: kept by the same keeper, told alike, and gone when they should be."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway import demo
from gateway.runtime.systemd import Notifier
from gateway.vision import nursery as module
from gateway.vision.child import Process, WorkerError
from gateway.vision.distant import Distant, nursery
from gateway.vision.messages import Ended, Inbox, encode
from gateway.vision.nursery import MOST, Nursery
from tests.bench.rig import ENVIRONMENT
from tests.vision import keeping
from tests.vision.keeping import PASSWORD, Watched
from tests.vision.nursing import listening, nursed, pretended, service

FILM = Path(demo.__file__).with_name("facade.mp4")
DEAF = ("sh", "-c", "exec sleep 60")  # does not mind that the gateway is gone


@contextmanager
def watched(folder: Path, mode: str, **how: float) -> Iterator[Watched]:
    path = folder / "vision.sock"
    with nursed(path, pretended(mode)):
        yield Watched(folder, mode, begin=nursery(path), **how)  # type: ignore[arg-type]


def await_(condition: Callable[[], object], within_s: float = 20.0) -> None:
    give_up_at = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < give_up_at, "it did not come about"
        time.sleep(0.01)


def children() -> set[int]:
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # a thread that ends while we look has none
            found |= {int(each) for each in (task / "children").read_text().split()}
    return found


def test_falls_and_their_evidence_come_as_from_a_child(tmp_path: Path) -> None:
    with watched(tmp_path, "falls") as there:
        there.until(lambda: len(there.falls()) == 4)
    assert sorted(len(body.evidence) for body in there.falls()) == [1, 1, 2, 2]
    assert there.vision.store.statistics().pieces == 4


@pytest.mark.parametrize("mode", ["garbage", "huge", "flood"])
def test_a_process_that_says_what_it_should_not_is_killed_and_another_one_started(
    tmp_path: Path, mode: str
) -> None:
    with watched(tmp_path, mode) as there:
        there.until(lambda: there.keeper.tally.starts == 2)
        assert there.vision.statistics()[0].killed.keys() == {
            "garbage"
        }  # the second one may have gone as well
    assert not children()


def test_a_process_that_hangs_is_left_and_killed_by_the_nursery(tmp_path: Path) -> None:
    with watched(tmp_path, "hangs", silent_s=0.5) as there:
        there.until(lambda: there.keeper.tally.starts == 2)
        assert there.vision.statistics()[0].killed.keys() == {"hung"}
    assert not children()


def test_what_a_process_said_last_reaches_the_gateway_without_its_password(tmp_path: Path) -> None:
    with watched(tmp_path, "quits") as there:
        there.until(lambda: there.keeper.tally.starts == 2)
    fault = there.supervisor.states["camera:north"].last_fault
    assert "the process ended: Traceback of north: its password is ***" in fault
    assert PASSWORD not in fault


def test_without_the_nursery_the_camera_says_so_and_comes_back_with_it(tmp_path: Path) -> None:
    path = tmp_path / "vision.sock"
    there = Watched(tmp_path, "good", begin=nursery(path))
    there.until(lambda: there.keeper.presence.reason)
    assert there.keeper.presence.reason == (
        f"compound-gateway-vision does not answer at {path}: No such file or directory"
    )
    with nursed(path, pretended("good")):
        there.until(lambda: there.links() == [True])


def test_a_gateway_that_starts_anew_has_its_cameras_again_and_leaves_none_behind(tmp_path: Path) -> None:
    path = tmp_path / "vision.sock"
    with nursed(path, pretended("good")):
        for _ in range(3):
            there = Watched(tmp_path, "good", begin=nursery(path))
            there.until(lambda: there.links() == [True])  # noqa: B023
        await_(lambda: not children())


def test_a_process_that_does_not_mind_is_killed_when_the_gateway_hangs_up(tmp_path: Path) -> None:
    path = tmp_path / "vision.sock"
    with nursed(path, DEAF):
        with socket.socket(socket.AF_UNIX) as gateway:
            gateway.connect(str(path))
            await_(children)
        await_(lambda: not children(), within_s=5)


def test_a_nursery_that_is_told_to_stop_sees_everybody_out(tmp_path: Path) -> None:
    with nursed(tmp_path / "vision.sock", DEAF), socket.socket(socket.AF_UNIX) as gateway:
        gateway.connect(str(tmp_path / "vision.sock"))
        await_(children)
    assert not children()


def test_a_nursery_nobody_needs_ends(tmp_path: Path) -> None:
    with nursed(tmp_path / "vision.sock", DEAF, idle_s=0.1) as thread:
        thread.join(10)
        assert not thread.is_alive()


def test_more_than_a_bound_of_processes_are_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 1)
    assert MOST > 1
    with nursed(tmp_path / "vision.sock", DEAF), socket.socket(socket.AF_UNIX) as first:
        first.connect(str(tmp_path / "vision.sock"))
        await_(children)
        with socket.socket(socket.AF_UNIX) as second:
            second.connect(str(tmp_path / "vision.sock"))
            told = list(Inbox(0.0).take(second.recv(65536), 0.0))
            assert (told, second.recv(1)) == ([Ended("there are 1 processes already")], b"")


def test_a_command_that_is_not_there_is_told(tmp_path: Path) -> None:
    with nursed(tmp_path / "vision.sock", ("/nonexistent/worker",)):
        there = Watched(tmp_path, "good", begin=nursery(tmp_path / "vision.sock"))
        there.until(lambda: there.keeper.presence.reason)
    assert there.keeper.presence.reason == "the process ended: cannot be started: No such file or directory"


def test_why_a_process_went_is_heard_though_the_gateway_had_yet_to_speak_to_it(tmp_path: Path) -> None:
    async def begin(_camera: str, _secret: str) -> Process:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            theirs.send(encode(Ended("cannot be started: No such file or directory")))
        return Distant(ours)

    there = Watched(tmp_path, "good", begin=begin)
    there.until(lambda: there.keeper.presence.reason)
    assert there.keeper.presence.reason == "the process ended: cannot be started: No such file or directory"


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to be somebody else")
def test_another_user_is_shown_the_door_even_where_the_file_would_let_them(tmp_path: Path) -> None:
    path = Path("/tmp") / f"nursery-{os.getpid()}.sock"
    stranger = (
        "import os, socket, sys; os.setuid(65534); line = socket.socket(socket.AF_UNIX); line.connect(sys.argv[1]);"
        "sys.exit(len(line.recv(1)))"
    )
    try:
        with nursed(path, DEAF):
            path.chmod(0o666)
            done = subprocess.run([sys.executable, "-c", stranger, str(path)], check=False, timeout=30)
            assert done.returncode == 0
            assert not children()
    finally:
        path.unlink()


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to be somebody else")
def test_no_password_is_sent_to_a_stranger_who_took_the_name(tmp_path: Path) -> None:
    path = tmp_path / "vision.sock"

    async def connect() -> None:
        begin = nursery(path)
        with pytest.raises(WorkerError, match="belongs to a stranger, user 65534"):
            await begin("north", PASSWORD)

    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.bind(str(path))
        os.seteuid(65534)
        try:
            stranger.listen()
        finally:
            os.seteuid(0)
        asyncio.run(connect())


class Fed(Notifier):
    """A manager that wants to be fed every 0.3 seconds."""

    def __init__(self) -> None:
        super().__init__({"WATCHDOG_USEC": "300000"})
        self.said: list[str] = []

    def send(self, *lines: str) -> None:
        self.said += lines


def _noted(looked: list[float]) -> float:
    looked.append(time.monotonic())
    return looked[-1]


def test_the_watchdog_is_fed_while_everybody_goes_who_has_to_and_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process in a sleep that nothing interrupts cannot be made here: the signal that kills is held back."""
    monkeypatch.setattr(module, "GONE_S", 1.2)
    monkeypatch.setattr(module, "SELDOM_S", 0.1)
    manager, (stop, told) = Fed(), os.pipe()
    monkeypatch.setattr(os, "killpg", lambda *_: None)
    with listening(tmp_path / "vision.sock") as there:
        looked = list[float]()
        nursery = Nursery(there, notifier=manager, command=DEAF, clock=lambda: _noted(looked))
        thread = threading.Thread(target=nursery.run, args=(stop,))
        thread.start()
        with socket.socket(socket.AF_UNIX) as gateway:
            gateway.connect(str(tmp_path / "vision.sock"))
            await_(lambda: manager.said.count("WATCHDOG=1") > 5)
        await_(lambda: nursery._held[0].killed)
        await_(lambda: not module._goes(nursery._held[0], time.monotonic()))
        hungry, looks = manager.said.count("WATCHDOG=1"), len(looked)
        await_(lambda: len(looked) > looks + 5)
        assert manager.said.count("WATCHDOG=1") == hungry
        for pid in children():
            os.kill(pid, signal.SIGKILL)
        await_(lambda: manager.said.count("WATCHDOG=1") > hungry)
        os.write(told, b"x")
        thread.join(10)
    assert manager.said[0] == "READY=1"
    os.close(stop)
    os.close(told)


@pytest.mark.slow
def test_the_real_service_watches_a_film_with_a_password_of_its_own_and_ends_within_seconds(
    tmp_path: Path,
) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "north-password").write_text("secret\n", encoding="ascii")
    path = tmp_path / "vision.sock"
    with listening(path) as handed, service(handed, CREDENTIALS_DIRECTORY=str(credentials)) as process:
        there = Watched(tmp_path, "good", begin=nursery(path), url=str(FILM), password_file="north-password")
        there.until(lambda: there.links() == [True], within_s=60)
        began = time.monotonic()
        process.terminate()
        assert process.wait(20) == 0
        assert time.monotonic() - began < 5


@pytest.mark.slow
def test_a_password_the_service_does_not_have_is_told_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "vision.sock"
    with listening(path) as handed, service(handed):
        there = Watched(tmp_path, "good", begin=nursery(path), password_file="north-password")
        there.until(lambda: there.keeper.presence.reason, within_s=60)
    assert there.keeper.presence.reason == (
        "the process ended: no password: north-password is no LoadCredential= of compound-gateway-vision"
    )


def test_the_command_by_itself_says_how_it_is_started() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "--lang", "en", "nursery"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "no socket was handed over: systemd starts this" in done.stderr
    assert "systemctl start compound-gateway-vision.socket" in done.stderr


def test_the_setup_never_shows_its_password() -> None:
    assert PASSWORD not in repr(keeping.setup(Path("/x")))

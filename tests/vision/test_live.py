"""A network camera over real RTSP: passwords, freezes, cuts; it always comes back, and its password is never told."""

import itertools
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import av.logging
import pytest

from gateway.vision.frames import Source, SourceError, open_source
from gateway.vision.live import Connected, LiveState, Lost, live_frames
from gateway.vision.sight import Frame
from tests.vision.films import film, number_of
from tests.vision.rtsp_server import Account, RtspServer

PASSWORD = "ge:h@im/ß#%"


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("films") / "street.mp4", range(50), gop=10, options={"bf": "0"})


class World:
    """A clock that only sleeping moves, and a memory of what was told."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.slept: list[float] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.states: list[LiveState] = []

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds
        self.meanwhile()

    def watch(self, open_: Callable[[], Source]) -> Generator[Frame, None, None]:
        return live_frames(open_, clock=self.clock, sleep=self.sleep, on_state=self.states.append)

    @property
    def losses(self) -> list[str]:
        return [state.error.reason for state in self.states if isinstance(state, Lost)]


def take(frames: Iterator[Frame], count: int) -> list[Frame]:
    return [next(frames) for _ in range(count)]


def test_a_camera_plays_over_tcp_with_its_own_times(street: Path) -> None:
    with RtspServer(street, speed=0) as server, open_source(server.url) as source:
        frames = take(source.frames(), 120)
        assert [number_of(frame.luma) for frame in frames] == [i % 50 for i in range(120)]
        assert [frame.time_s for frame in frames] == pytest.approx([i / 25 for i in range(120)], abs=1e-3)
        assert source.live
        assert source.statistics.dropped == 0


@pytest.mark.parametrize("scheme", ["Basic", "Digest"])
def test_the_right_password_opens_and_a_wrong_one_says_so(street: Path, scheme: str) -> None:
    account = Account("wächter", PASSWORD, "Basic" if scheme == "Basic" else "Digest")
    with RtspServer(street, account=account, speed=0) as server:
        with open_source(server.url, user="wächter", password=PASSWORD) as source:
            assert len(take(source.frames(), 3)) == 3
        for password in ("wrong", None):
            with pytest.raises(SourceError) as refused:
                open_source(server.url, user="wächter", password=password)
            assert refused.value.reason == "password"


def test_no_message_process_title_or_log_tells_the_password(
    street: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shown: list[object] = [Path("/proc/self/cmdline").read_bytes(), Path("/proc/self/comm").read_bytes()]
    with (
        av.logging.Capture() as logged,
        RtspServer(street, account=Account("admin", "other"), speed=0) as server,
    ):
        for url in (server.url.replace("//", "//admin:geheim@"), "rtsp://admin:geheim@127.0.0.1:1/x"):
            with pytest.raises(SourceError) as refused:
                open_source(url)
            error = refused.value
            shown += [str(error), repr(error), error.__dict__, error.__cause__, error.__context__, error.args]
        server.account = None
        with open_source(server.url, password="geheim") as source:
            shown += [repr(source), source.facts, source.where]
    assert refused.value.reason == "refused"
    assert "geheim" not in repr([*shown, capfd.readouterr()])
    assert "geheim" not in repr(logged)


def test_a_frozen_camera_is_given_up_within_the_limit(street: Path) -> None:
    with RtspServer(street, speed=0) as server, open_source(server.url, read_timeout_s=0.4) as source:
        frames = source.frames()
        take(frames, 5)
        server.frozen.set()
        began = time.monotonic()
        with pytest.raises(SourceError) as lost:
            list(frames)
        assert lost.value.reason == "timed_out"
        assert time.monotonic() - began < 10.0  # ours, not the thirty seconds that OpenCV would wait


def test_after_a_freeze_the_camera_is_opened_again_and_numbers_and_times_go_on(street: Path) -> None:
    world = World()
    with RtspServer(street, speed=4) as server:
        world.meanwhile = server.frozen.clear
        frames = world.watch(lambda: open_source(server.url, read_timeout_s=0.4))
        before = take(frames, 5)
        server.frozen.set()
        before += [next(frames)]
        after: list[Frame] = []
        while not world.losses:
            after.append(next(frames))
        after += take(frames, 5)
        frames.close()
    together = [*before, *after]
    assert world.losses == ["timed_out"]
    assert [frame.index for frame in together] == list(range(len(together)))
    assert all(a.time_s < b.time_s for a, b in itertools.pairwise(together))
    assert [type(state) for state in world.states] == [Connected, Lost, Connected]


def test_a_connection_that_breaks_is_a_loss_and_not_the_end(street: Path) -> None:
    world = World()
    with RtspServer(street, speed=4) as server:
        frames = world.watch(lambda: open_source(server.url, read_timeout_s=1.0))
        take(frames, 5)
        server.cut()
        while not world.losses:
            next(frames)
        frames.close()
    assert world.losses == ["ended"]


def test_a_camera_away_for_an_hour_is_asked_patiently_and_the_hour_is_in_the_times(street: Path) -> None:
    world = World()
    with RtspServer(street, speed=0) as server:

        def open_() -> Source:
            server.down = 1.0 < world.now_s < 3600
            return open_source(server.url, read_timeout_s=1.0)

        frames = world.watch(open_)
        first = next(frames)
        world.now_s = 2.0
        server.cut()
        last = first
        while world.now_s < 3600:
            last, before = next(frames), last
        next(frames)
        frames.close()
    waits = world.slept
    assert waits[:8] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert set(waits[8:]) == {30}
    assert last.index == before.index + 1
    assert last.time_s - before.time_s == pytest.approx(sum(waits), abs=1)
    reached = [state for state in world.states if isinstance(state, Connected)]
    assert reached[-1].away_s == pytest.approx(sum(waits), abs=1)


def test_a_refused_password_is_tried_again_only_after_minutes(street: Path) -> None:
    world = World()
    with RtspServer(street, account=Account("admin", "right"), speed=0) as server:
        passwords = iter(["wrong", "wrong", "right"])
        frames = world.watch(lambda: open_source(server.url, password=next(passwords)))
        next(frames)
        frames.close()
    assert world.slept == [300.0, 300.0]
    assert world.losses == ["password", "password"]


def test_garbled_pictures_are_lived_with(street: Path) -> None:
    with RtspServer(street, speed=0) as server:
        server.garbled = True
        with open_source(server.url, read_timeout_s=2.0) as source:
            frames = take(source.frames(), 60)
    assert [frame.index for frame in frames] == sorted(frame.index for frame in frames)

"""Cameras kept watched: what their processes say becomes events, what they do wrong ends them."""

import hashlib
import os
from pathlib import Path

import pytest

from gateway.core.events import LinkBody
from gateway.vision.service import CameraStatistics
from tests.vision.keeping import PASSWORD, Watched


def test_a_camera_whose_frames_come_is_up_and_told_once(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "good")
    seen: list[CameraStatistics] = []

    def look() -> bool:
        seen[:] = watched.vision.statistics()
        return seen[0].frames > 9 and bool(watched.links())

    watched.until(look)
    (camera,) = seen
    assert watched.links() == [True]
    assert (camera.up, camera.picture, camera.fps, camera.starts) == (True, "fine", 25.0, 1)
    assert watched.wrong() == []


def test_a_fall_is_told_at_once_and_again_when_its_clip_is_there(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "falls")
    watched.until(lambda: len(watched.falls()) == 4)
    first, *_, last = watched.falls()
    assert (first.camera, first.kind, first.floor, first.low, first.high) == (
        "north",
        "falling.object",
        7,
        6,
        8,
    )
    assert len(first.evidence) == 1
    assert last.fall == "fall-2"
    assert len(last.evidence) == 2
    pieces = watched.vision.store.statistics()
    assert (pieces.pieces, pieces.unsent) == (4, 4)


def test_evidence_that_finds_no_room_is_told_and_the_fall_is_not_lost(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "poor")
    watched.until(lambda: len(watched.falls()) == 2)
    first, second = watched.falls()
    assert first.evidence
    assert (second.evidence, second.note) == ((), "evidence missing (still): no room")


def test_a_second_still_comes_to_the_first_and_takes_nothing_with_it_when_it_is_missing(
    tmp_path: Path,
) -> None:
    watched = Watched(tmp_path, "more")
    watched.until(lambda: len(watched.falls()) == 4)
    first, second, whole, lacking = watched.falls()
    assert whole.evidence == (*first.evidence, hashlib.sha256(b"fall-1 whole").hexdigest())
    assert lacking.evidence == second.evidence
    assert (len(second.evidence), lacking.note) == (1, "evidence missing (still): no room")


def test_more_falls_than_allowed_in_a_minute_are_counted_and_not_told(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "storm")
    watched.until(lambda: watched.keeper.tally.falls + watched.keeper.tally.suppressed == 50)
    assert len(watched.falls()) == 6
    assert watched.vision.statistics()[0].suppressed == 44


def test_a_covered_camera_is_told(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "covered")
    watched.until(watched.wrong)
    assert watched.wrong() == ["camera.covered"]


def test_a_process_that_ends_is_started_again_and_its_last_words_hide_the_password(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "quits")
    watched.until(lambda: watched.keeper.tally.starts == 2)
    fault = watched.supervisor.states["camera:north"].last_fault
    assert "Traceback of north" in fault
    assert PASSWORD not in fault
    assert "***" in fault


@pytest.mark.parametrize("mode", ["garbage", "huge", "flood"])
def test_a_process_that_says_what_it_should_not_is_killed_and_counted(tmp_path: Path, mode: str) -> None:
    watched = Watched(tmp_path, mode)
    watched.until(lambda: watched.keeper.tally.starts == 2)
    assert watched.vision.statistics()[0].killed == {"garbage": 1}


def test_the_command_line_and_the_environment_of_a_process_hold_no_secret(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "good")
    seen: list[bytes] = []

    def look() -> bool:
        if not watched.links():
            return False
        pid = watched.keeper.pid
        seen.extend(Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ"))
        return True

    watched.until(look)
    command, environment = seen
    assert command.rstrip(b"\0").endswith(b"\0north")
    assert PASSWORD.encode() not in command + environment
    assert b"ORT_DISABLE_TELEMETRY=1" in environment


def test_a_process_yields_to_the_gateway_and_dies_before_it(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "good")
    seen: list[int] = []

    def look() -> bool:
        pid = watched.keeper.pid
        if not watched.links() or pid is None:
            return False
        seen.append(os.getpriority(os.PRIO_PROCESS, pid))
        seen.append(int(Path(f"/proc/{pid}/oom_score_adj").read_text()))
        return True

    watched.until(look)
    assert seen == [5, 500]


def test_a_camera_that_does_not_answer_says_why(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "lost")
    presence = watched.keeper.presence
    watched.until(lambda: presence.reason)
    (body,) = presence.due(1e9)
    assert body == LinkBody("camera", "north", up=False, reason="rtsp://192.168.1.30/1: connection refused")


def test_a_house_without_cameras_runs_no_service_for_them(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "good", names=())
    assert watched.vision.services == {}
    assert watched.vision.evidence_statistics() is None
    assert not (tmp_path / "evidence").exists()

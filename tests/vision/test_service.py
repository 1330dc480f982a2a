"""Cameras kept watched: what their processes say becomes events, what they do wrong ends them."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from gateway.core.events import LinkBody, PictureBody
from gateway.vision import service
from gateway.vision.messages import Kept, Missing
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
    first, second = watched.falls()[:2]
    assert first.evidence
    assert (second.evidence, second.note) == ((), "缺现场图片 (still missing): no room")


def test_what_a_process_owed_when_it_died_is_told_as_missing_unless_it_is_there(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "dies_owing")

    def ends() -> bool:
        if len(watched.falls()) == 3:
            (tmp_path / "go").touch()  # its next life waits for nothing, and falls do not end the test twice
        return watched.keeper.tally.evidence_missing >= 4

    watched.until(ends)
    last = {body.fall: body for body in watched.falls()[:7]}
    gone = "the camera's process ended before it was kept"
    assert len(last["fall-1"].evidence) == 1
    assert last["fall-1"].note == f"缺现场录像 (clip missing): {gone}"
    assert last["fall-2"].evidence == ()
    assert len(last["fall-3"].evidence) == 1
    assert all(body.more for body in last.values())


def test_a_clip_that_waits_for_its_end_when_the_gateway_is_stopped_is_told_as_missing(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "seen_only")
    watched.until(watched.falls)
    last = watched.falls()[-1]
    stopped = "the gateway was stopped or reloaded before it was kept"
    assert (last.fall, last.more) == ("fall-1", True)
    assert last.note == f"缺现场录像 (clip missing): {stopped}"
    assert watched.keeper.tally.evidence_missing == 1


def test_a_piece_is_not_lost_when_the_disk_is_slow_just_as_room_is_to_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "UPKEEP_S", 1.0)
    watched = Watched(tmp_path, "late_clip")
    take = watched.vision.store.take

    def slow(sha256: str) -> bool:
        time.sleep(1.2)
        return take(sha256)

    monkeypatch.setattr(watched.vision.store, "take", slow)
    watched.until(lambda: watched.falls() and len(watched.falls()[-1].evidence) == 2)


def test_a_fall_that_came_before_garbage_is_told_and_was_seen_when_it_came_if_it_does_not_say_when(
    tmp_path: Path,
) -> None:
    watched = Watched(tmp_path, "seen_and_mad")
    before = time.monotonic()
    watched.until(lambda: watched.keeper.tally.killed["garbage"])
    assert {body.fall for body in watched.falls()} == {"fall-1"}
    assert before < watched.falls()[0].seen_at <= time.monotonic()


def test_what_is_missing_is_told_also_when_more_evidence_comes_than_can_be_looked_after(
    tmp_path: Path,
) -> None:
    vision = Watched(tmp_path, "good").vision
    (keeper,) = vision.keepers
    for number in range(service.QUEUE):
        vision._queue_up(keeper, Kept(f"fall-{number}", "clip", "0" * 64))
    vision._queue_up(keeper, Missing("fall", "still", "no room"))
    vision._queue_up(keeper, Kept("fall", "clip", "0" * 64))
    assert (keeper.tally.evidence_missing, vision.missed) == (1, 1)


def test_a_second_still_comes_to_the_first_and_takes_nothing_with_it_when_it_is_missing(
    tmp_path: Path,
) -> None:
    watched = Watched(tmp_path, "more")
    watched.until(lambda: len(watched.falls()) == 4)
    first, second, whole, lacking = watched.falls()[:4]
    assert whole.evidence == (*first.evidence, hashlib.sha256(b"fall-1 whole").hexdigest())
    assert lacking.evidence == second.evidence
    assert (len(second.evidence), lacking.note) == (1, "缺现场图片 (still missing): no room")


def test_more_falls_than_allowed_in_a_minute_are_counted_and_not_told(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "storm")
    watched.until(lambda: watched.keeper.tally.falls + watched.keeper.tally.suppressed == 50)
    assert sum(not body.more for body in watched.falls()) == 6
    assert watched.vision.statistics()[0].suppressed == 44


def test_a_covered_camera_is_told(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "covered")
    watched.until(watched.wrong)
    assert watched.wrong() == ["camera.covered"]


def test_a_camera_that_was_covered_is_not_told_fine_because_its_process_or_the_gateway_began_anew(
    tmp_path: Path,
) -> None:
    watched = Watched(tmp_path, "as_before", names=("north", "south"))
    watched.looks["north"] = "covered"
    watched.until(lambda: watched.links() == [True, True])
    told = [
        (body.camera, body.wrong)
        for body in watched.told
        if isinstance(body, PictureBody) and body.kind == "camera.covered"
    ]
    assert sorted(told) == [("north", True), ("south", False)]


def test_a_camera_that_was_moved_is_not_told_fine_because_its_process_or_the_gateway_began_anew(
    tmp_path: Path,
) -> None:
    before = Watched(tmp_path, "moved")
    before.until(lambda: before.wrong() == ["camera.moved"] and (tmp_path / "views").exists())
    watched = Watched(tmp_path, "as_before", names=("north", "south"))
    watched.looks = {"north": "moved", "south": "moved"}
    watched.until(lambda: watched.links() == [True, True])
    told = [
        (body.camera, body.wrong)
        for body in watched.told
        if isinstance(body, PictureBody) and body.kind == "camera.moved"
    ]
    assert sorted(told) == [("north", True), ("south", False)]


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


@pytest.mark.parametrize(
    ("held", "reason"), [(None, "No such file or directory"), ("口令".encode("gbk"), "no UTF-8")]
)
def test_a_camera_whose_password_cannot_be_read_says_so(
    tmp_path: Path, held: bytes | None, reason: str
) -> None:
    file = tmp_path / "password"
    if held is not None:
        file.write_bytes(held)
    watched = Watched(tmp_path, "good", password_file=str(file))
    watched.until(lambda: watched.supervisor.states["camera:north"].last_fault)
    assert watched.keeper.presence.reason.startswith("no password: ")
    assert watched.keeper.presence.reason.endswith(reason)


def test_a_house_without_cameras_runs_no_service_for_them(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "good", names=())
    assert watched.vision.services == {}
    assert watched.vision.evidence_statistics() is None
    assert not (tmp_path / "evidence").exists()

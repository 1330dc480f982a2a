"""Whatever a camera's process does, the field is polled as before. Each test prints the gaps it measured."""

import os
import signal
from pathlib import Path

import pytest

from gateway.core.events import AlertBody
from gateway.vision.distant import nursery
from tests.faults.vision.house import House, run, until
from tests.vision.nursing import nursed, pretended


def killed(house: House) -> dict[str, int]:
    return dict(house.vision.keepers[0].tally.killed)


def starts(house: House) -> int:
    return house.vision.keepers[0].tally.starts


def test_a_worker_killed_again_and_again_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(house: House) -> None:
        for number in (2, 3):
            await until(lambda: house.vision.keepers[0].beat)
            assert house.pid is not None
            os.kill(house.pid, signal.SIGKILL)
            await until(lambda number=number: starts(house) == number)  # type: ignore[misc]

    run(tmp_path, "good", monkeypatch, work)


def test_a_worker_that_is_stopped_is_found_hung_and_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(house: House) -> None:
        await until(lambda: house.vision.keepers[0].beat)
        assert house.pid is not None
        os.kill(house.pid, signal.SIGSTOP)
        await until(lambda: starts(house) == 2)
        assert killed(house) == {"hung": 1}

    run(tmp_path, "good", monkeypatch, work)


@pytest.mark.parametrize("mode", ["garbage", "flood", "huge"])
def test_a_worker_that_talks_nonsense_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    async def work(house: House) -> None:
        await until(lambda: killed(house).get("garbage", 0) >= 3)

    run(tmp_path, f"later:{mode}", monkeypatch, work)


def test_a_worker_that_leaks_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(house: House) -> None:
        await until(lambda: killed(house).get("memory", 0) >= 2)

    run(tmp_path, "later:hog", monkeypatch, work)


def test_two_falls_are_one_alert_with_all_their_evidence_and_stay_in_the_quota(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[AlertBody] = []

    async def work(house: House) -> None:
        await until(lambda: house.alerts and len(house.alerts[-1].evidence) == 4)
        seen.extend(house.alerts)
        assert house.status()["evidence"]["pieces"] == 4
        assert house.status()["cameras"][0]["falls"] == 2

    run(tmp_path, "later:falls", monkeypatch, work)
    assert {body.alert for body in seen} == {seen[0].alert}
    assert seen[-1].count == 2
    assert seen[-1].text.zh == "2 栋 7 楼附近有高空抛物"
    for sha256 in seen[-1].evidence:
        assert list((tmp_path / "state" / "evidence").glob(f"{sha256}.*"))


def test_evidence_that_cannot_be_kept_costs_no_alert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(house: House) -> None:
        await until(lambda: len(house.alerts) == 2)
        assert house.alerts[-1].evidence == ()
        told = "把握 97%，6 至 8 楼 (confidence 97%, floor 6 to 8)"
        assert house.alerts[-1].note == f"{told}; 缺现场图片 (still missing): no room"

    run(tmp_path, "later:poor", monkeypatch, work)


def test_a_service_of_their_own_whose_processes_flood_costs_the_field_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(house: House) -> None:
        await until(lambda: killed(house).get("garbage", 0) >= 3)

    with nursed(tmp_path / "vision.sock", pretended("later:flood")):
        run(tmp_path, "", monkeypatch, work, begin=nursery(tmp_path / "vision.sock"))

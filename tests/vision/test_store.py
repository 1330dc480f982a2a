"""What lies in the folder is found, whenever the folder is there: late, another one, or read only at the second try."""

import os
import resource
import shutil
from pathlib import Path

import msgspec

from gateway.vision.store import Facts
from tests.vision.test_evidence import MB, WHEN, put, store


def test_evidence_on_a_disk_that_is_there_late_is_found_and_not_taken_for_litter(tmp_path: Path) -> None:
    """A disk mounted over the folder after the start: much lies there that was not there before."""
    folder, disk = tmp_path / "evidence", tmp_path / "disk"
    kept = store(folder, quota=128 * MB)
    disk.mkdir()
    sums = {put(disk, number, size=0) for number in range(3)}
    for each in sums:
        os.truncate(disk / f"{each}.mp4", 20 * MB)
        facts = Facts(each, "clip", "north", "fall", WHEN, 20 * MB)
        (disk / f"{each}.json").write_bytes(msgspec.json.encode(facts))
    folder.rmdir()
    disk.rename(folder)
    assert kept.make_room(sums) == 68 * MB
    assert {file.stem for file in folder.glob("*.mp4")} == sums
    assert {facts.sha256 for facts in kept.unsent()} == sums


def test_a_start_without_a_descriptor_to_spare_finds_what_there_is_a_minute_later(tmp_path: Path) -> None:
    whole = put(tmp_path, 1)
    limits, free = resource.getrlimit(resource.RLIMIT_NOFILE), os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
    try:
        kept = store(tmp_path)
        assert kept.make_room(set()) == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert "Too many open files" in kept.statistics().trouble
    assert kept.make_room(set()) == 7 * MB
    assert [facts.sha256 for facts in kept.unsent()] == [whole]


def test_a_folder_that_somebody_removed_is_made_anew_and_has_room(tmp_path: Path) -> None:
    kept = store(tmp_path / "evidence")
    put(tmp_path / "evidence", 1)
    shutil.rmtree(tmp_path / "evidence")
    assert kept.make_room(set()) == 8 * MB
    assert kept.statistics().pieces == 0

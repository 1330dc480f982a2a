"""Names that must be taken back one day outlive a restart, and a disk that takes nothing."""

import asyncio
from pathlib import Path

import pytest

from gateway import kept_names
from gateway.kept_names import KeptNames


def looked(folder: Path, names: set[str]) -> set[str]:
    """Return the names that an earlier run left, and leave others."""
    return asyncio.run(_looked(folder, names))


async def _looked(folder: Path, names: set[str]) -> set[str]:
    found: list[set[str]] = []
    done = asyncio.Event()

    def look(kept: set[str]) -> set[str]:
        found.append(kept)
        if len(found) == 2:
            done.set()
        return names

    following = asyncio.create_task(KeptNames(str(folder), "names.json").follow(look))
    await done.wait()
    following.cancel()
    await asyncio.wait([following])
    return found[0]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_names, "LOOK_S", 0.0)


def test_the_next_run_finds_what_the_last_one_left_and_no_file_is_left_of_nothing(
    tmp_path: Path,
) -> None:
    assert looked(tmp_path, {"radar-301", "radar-302"}) == set()
    assert KeptNames(str(tmp_path), "names.json").are_there
    assert looked(tmp_path, set()) == {"radar-301", "radar-302"}
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_full_costs_no_name_that_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked(tmp_path, {"radar-301"})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("os.fsync", full)
        looked(tmp_path, {"radar-302"})
    assert [file.name for file in tmp_path.iterdir()] == ["names.json"]
    assert looked(tmp_path, set()) == {"radar-301"}

"""Parts on the disk: any order, any repeat, a restart in between, a power cut, a flood; bounded whoever sends."""

import random
from pathlib import Path

import pytest

from gateway.desk.evidence import parts as reading
from gateway.desk.evidence import unfinished
from gateway.desk.evidence.folder import Folder
from gateway.desk.evidence.parts import PartError
from gateway.desk.evidence.unfinished import MOST_PIECES, OLDEST_S, Unfinished
from tests.desk_evidence import CLIP, STILL, part, parts, sum_of
from tests.small_files import files_of_at_most

GATEWAY = "hxtp-01"


class Scene:
    """A folder of unfinished pieces and one of whole ones."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = Folder(root)
        self.folder.open()
        self.again()

    def again(self) -> None:
        """Start anew on the same disk."""
        self.unfinished = Unfinished(self.root / "unfinished")
        self.unfinished.load()

    def add(self, content: bytes, name: str = "", *, gateway: str = GATEWAY, now: float = 0.0) -> None:
        name = name or sum_of(STILL)
        self.unfinished.add(gateway, content, reading.read(name, content), now)

    def whole(self) -> list[str]:
        return [each.sha256 for each in self.unfinished.whole]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.mark.parametrize("seed", range(5))
def test_parts_in_any_order_with_repeats_and_restarts_between_make_the_piece(scene: Scene, seed: int) -> None:
    chance = random.Random(seed)
    order = parts(STILL, 300) + chance.choices(parts(STILL, 450), k=5)
    chance.shuffle(order)
    for content in order:
        scene.add(content)
        scene.again()
    [piece] = scene.unfinished.whole
    assert scene.folder.take(piece) == "image/jpeg"
    assert scene.folder.path(sum_of(STILL)).read_bytes() == STILL


def test_a_part_that_is_there_takes_no_room_again(scene: Scene) -> None:
    scene.add(part(STILL, 0, 900))
    [path] = (scene.root / "unfinished").glob("*/*")
    before = path.stat().st_size
    scene.add(part(STILL, 0, 900))
    scene.add(part(STILL, 200, 300))
    assert path.stat().st_size == before


def test_a_part_that_a_power_cut_left_half_is_asked_for_no_more_than_any_other(scene: Scene) -> None:
    for content in parts(STILL, 1000):
        scene.add(content)
    [path] = (scene.root / "unfinished").glob("*/*")
    path.write_bytes(path.read_bytes()[:-5])
    scene.again()
    assert scene.whole() == []
    for content in parts(STILL, 1000):
        scene.add(content)
    assert scene.whole() == [sum_of(STILL)]


def test_what_is_no_piece_at_all_is_cleared_away_at_the_start(scene: Scene) -> None:
    folder = scene.root / "unfinished" / GATEWAY
    folder.mkdir()
    (folder / "notes.txt").write_bytes(b"\x00\x00\x00\x02{}")
    (folder / sum_of(STILL)).write_bytes(b"\xff" * 100)
    scene.again()
    assert list(folder.iterdir()) == []


def test_a_piece_with_another_sum_or_sort_is_not_kept(scene: Scene) -> None:
    false = sum_of(b"something else")
    scene.add(part(STILL, 0, len(STILL), sha256=false), false)
    page = b"<!doctype html><script>alert(1)</script>"
    scene.add(part(page, 0, len(page)), sum_of(page))
    assert [scene.folder.take(piece) for piece in scene.unfinished.whole] == [None, None]
    assert list(scene.folder.sums()) == []
    assert list((scene.root / "new").iterdir()) == []


def test_parts_that_disagree_about_their_piece_are_refused(scene: Scene) -> None:
    scene.add(part(STILL, 0, 100))
    with pytest.raises(PartError, match="another size or kind"):
        scene.add(part(STILL, 100, 200, size=len(STILL) + 1))


def test_a_piece_in_crumbs_is_refused_before_it_fills_the_disk(scene: Scene) -> None:
    def crumbs() -> None:
        for byte in range(len(STILL)):
            scene.add(part(STILL, byte, byte + 1))

    with pytest.raises(PartError, match="more heads than bytes"):
        crumbs()
    assert list((scene.root / "unfinished").glob("*/*")) == []


def test_a_gateway_that_floods_loses_its_own_and_nobody_elses(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished, "MOST_PIECES_OF_ALL", 20)
    scene.add(part(CLIP, 0, 100, what="clip"), sum_of(CLIP), gateway="honest", now=0.0)
    for number in range(MOST_PIECES + 3):
        for gateway in ("flood", "other-flood"):
            data = STILL + bytes([number])
            scene.add(part(data, 0, 100), sum_of(data), gateway=gateway, now=1.0 + number)
    left = sorted(path.parent.name for path in (scene.root / "unfinished").glob("*/*"))
    assert len(left) == 20
    assert left.count("honest") == 1
    assert max(left.count("flood"), left.count("other-flood")) <= MOST_PIECES


def test_the_bytes_of_one_gateway_are_bounded(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfinished, "MOST_BYTES", 5_000)
    for number in range(4):
        data = STILL + bytes([number])
        scene.add(part(data, 0, 1800), sum_of(data), now=float(number))
    assert len(list((scene.root / "unfinished").glob("*/*"))) == 2
    assert scene.unfinished.dropped == 2


def test_what_nobody_finished_in_a_day_goes(scene: Scene) -> None:
    scene.add(part(STILL, 0, 100), now=1000.0)
    scene.unfinished.shorten(1000.0 + OLDEST_S)
    assert len(list((scene.root / "unfinished").glob("*/*"))) == 1
    scene.unfinished.shorten(1001.0 + OLDEST_S)
    assert list((scene.root / "unfinished").glob("*")) == []


def test_a_full_disk_leaves_no_half_part(scene: Scene) -> None:
    scene.add(part(STILL, 0, 100))
    [path] = (scene.root / "unfinished").glob("*/*")
    before = path.read_bytes()
    with files_of_at_most(len(before) + 50), pytest.raises(OSError, match="File too large"):
        scene.add(part(STILL, 100, 1900))
    assert path.read_bytes() == before
    for content in parts(STILL):
        scene.add(content)
    assert scene.whole() == [sum_of(STILL)]

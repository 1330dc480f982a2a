"""What a camera saw before it was moved is known over a restart of all, as long as its marks stay as they were."""

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from gateway.runtime import whole_file
from gateway.vision.messages import Setup, View
from gateway.vision.views import FILE, Views
from tests.vision.keeping import setup

VIEW = View(3, 2, bytes(range(6)), 0.5, 4.0, 2.0, 0.9)
OTHER = msgspec.structs.replace(VIEW, structure=5.0)
Change = Callable[[Setup], Setup]


def test_views_are_known_over_a_restart_each_its_own(tmp_path: Path) -> None:
    views = Views(tmp_path)
    views.keep(setup(tmp_path, "north"), OTHER)
    views.keep(setup(tmp_path, "south"), VIEW)
    views.keep(setup(tmp_path, "north"), VIEW)
    Views(tmp_path).keep(setup(tmp_path, "east"), OTHER)
    again = Views(tmp_path)
    known = [again.of(setup(tmp_path, name)) for name in ("north", "south", "east", "west")]
    assert known == [VIEW, VIEW, OTHER, None]


def redrawn(given: Setup) -> Setup:
    return msgspec.structs.replace(given, watch=((0.1, 0.1), (0.9, 0.1), (0.5, 0.9)))


def renumbered(given: Setup) -> Setup:
    return msgspec.structs.replace(given, floors=((0.2, 9), (0.6, 6)))


def blanked(given: Setup) -> Setup:
    return msgspec.structs.replace(given, ignore=(((0.1, 0.1), (0.2, 0.1), (0.2, 0.2)),))


def resized(given: Setup) -> Setup:
    return msgspec.structs.replace(given, marked_in=(1920, 1080))


@pytest.mark.parametrize("change", [redrawn, renumbered, blanked, resized])
def test_marks_drawn_anew_make_what_is_seen_the_right_view(tmp_path: Path, change: Change) -> None:
    views = Views(tmp_path)
    views.keep(setup(tmp_path), VIEW)
    assert views.of(change(setup(tmp_path))) is None
    assert views.of(msgspec.structs.replace(setup(tmp_path), url="rtsp://192.168.1.99/other")) == VIEW


def test_where_nothing_is_marked_the_next_start_takes_what_it_sees(tmp_path: Path) -> None:
    views, bare = Views(tmp_path), msgspec.structs.replace(setup(tmp_path), floors=())
    views.keep(bare, VIEW)
    assert views.of(bare) is None
    views.keep(blanked(bare), VIEW)
    assert views.of(blanked(bare)) == VIEW


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x81", bytes([0x91]) * 100_000])
def test_a_file_that_is_none_of_ours_is_as_good_as_none_and_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    views = Views(tmp_path)
    assert views.of(setup(tmp_path)) is None
    views.keep(setup(tmp_path), VIEW)
    assert Views(tmp_path).of(setup(tmp_path)) == VIEW


def test_a_disk_that_hangs_while_a_view_is_written_holds_up_nobody_who_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    views, asked = Views(tmp_path), list[View | None]()

    def hang(_path: Path, _content: bytes) -> None:
        asking = threading.Thread(target=lambda: asked.append(views.of(setup(tmp_path))))
        asking.start()
        asking.join(10.0)

    monkeypatch.setattr(whole_file, "replace", hang)
    views.keep(setup(tmp_path), VIEW)
    assert asked == [VIEW]


def test_a_disk_that_takes_nothing_is_told_and_the_view_is_known_while_the_gateway_runs(
    tmp_path: Path,
) -> None:
    (tmp_path / FILE).mkdir()
    views = Views(tmp_path)
    with pytest.raises(OSError, match=FILE):
        views.keep(setup(tmp_path), VIEW)
    assert views.of(setup(tmp_path)) == VIEW

"""A log of dm-log-writes is read as the kernel writes it, and a cut leaves what a disk may leave."""

import io
import random
from pathlib import Path
from struct import pack

import pytest

from tests.systemd.write_log import DISCARD, FLUSH, FUA, MAGIC, MARK, LogError, Playback, entries


def log(*items: tuple[int, int, bytes]) -> io.BytesIO:
    """Return a log of (flags, sector, what)."""
    content = pack("<QQQI", MAGIC, 1, len(items), 512).ljust(512, b"\0")
    for flags, sector, data in items:
        sectors = 0 if flags & MARK else 8 if flags & DISCARD else len(data) // 512
        head = pack("<QQQQ", sector, sectors, flags, len(data) if flags & MARK else 0)
        content += (head + (data if flags & MARK else b"")).ljust(512, b"\0")
        content += b"" if flags & (MARK | DISCARD) else data
    return io.BytesIO(content)


def block(letter: str, sectors: int = 1) -> bytes:
    return letter.encode() * 512 * sectors


def test_writes_marks_flushes_and_discards_are_told_apart() -> None:
    found = list(
        entries(
            log(
                (0, 4, block("a", 2)),
                (MARK, 0, b"m7"),
                (DISCARD, 9, b""),
                (FLUSH, 0, b""),
                (FUA, 6, block("b")),
            )
        )
    )
    assert [(each.flags, each.size, each.mark) for each in found] == [
        (0, 1024, ""), (MARK, 0, "m7"), (DISCARD, 0, ""), (FLUSH, 0, ""), (FUA, 512, ""),
    ]  # fmt: skip
    assert (found[0].place, found[4].place) == (2048, 3072)


def test_something_else_is_no_log() -> None:
    with pytest.raises(LogError):
        list(entries(io.BytesIO(bytes(1024))))


def test_what_was_flushed_is_there_after_every_cut_and_the_rest_may_be(tmp_path: Path) -> None:
    image, copy = tmp_path / "image", tmp_path / "copy"
    image.write_bytes(bytes(512 * 16))
    written = log(
        (0, 0, block("a")), (FLUSH, 0, b""), (FUA, 1, block("f")), *((0, 2 + n, block("l")) for n in range(8))
    )
    playback = Playback(written, image, random.Random(1))
    for entry in list(entries(written)):
        playback.take(entry)
    loose = set()
    for _ in range(200):
        copy.write_bytes(image.read_bytes())
        playback.cut(copy)
        disk = copy.read_bytes()
        assert disk[:1024] == block("a") + block("f")
        loose.add(tuple(disk[512 * n] == ord("l") for n in range(2, 10)))
    playback.close()
    assert len(loose) > 50, "the same was lost each time"


def test_a_write_is_torn_at_sectors(tmp_path: Path) -> None:
    image, copy = tmp_path / "image", tmp_path / "copy"
    image.write_bytes(bytes(512 * 8))
    written = log((0, 0, block("l", 8)))
    playback = Playback(written, image, random.Random(2))
    for entry in list(entries(written)):
        playback.take(entry)
    lengths = set()
    for _ in range(100):
        copy.write_bytes(image.read_bytes())
        playback.cut(copy)
        lengths.add(copy.read_bytes().count(b"l"))
    playback.close()
    assert len(lengths) > 4
    assert all(length % 512 == 0 for length in lengths)

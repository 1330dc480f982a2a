"""The access list on disk: whole or not at all, sealed, and never a reason for the gateway not to start."""

import itertools
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from gateway.core.access import AccessList, Entry, Secret
from gateway.core.access_changes import entries_of
from gateway.core.access_file import read
from gateway.runtime.access import AccessStore, AccessStoreError, read_or_make

SECRET = Secret(b"k" * 32)
HEAD = "card,pin,holder,doors,schedule,valid_from,valid_until,blocked,note\n"


def entries(first: int, last: int) -> list[Entry]:
    lines = [
        f"1:{n},{1000 + n},2-1-{n} 住户 A,building=2 gate-east,nights,2026-01-01,2026-12-31,no,夜班\n"
        for n in range(first, last)
    ]
    return entries_of(read(HEAD + "".join(lines)).rows, SECRET)


def filled(path: Path, listed: list[Entry]) -> None:
    store = AccessStore(path, SECRET)
    store.load()
    store.replace(listed)
    store.close()


def loaded(path: Path, secret: Secret = SECRET) -> AccessList:
    store = AccessStore(path, secret)
    try:
        return store.load().listed
    finally:
        store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access.db"


def test_a_list_comes_back_as_it_was(path: Path) -> None:
    filled(path, entries(1, 300))
    assert list(loaded(path).entries.values()) == sorted(entries(1, 300), key=lambda entry: entry.key)


def test_a_list_takes_the_place_of_another_whole(path: Path) -> None:
    filled(path, entries(1, 300))
    filled(path, entries(200, 250))
    assert loaded(path).entries.keys() == {entry.key for entry in entries(200, 250)}


def test_single_entries_come_and_go(path: Path) -> None:
    filled(path, entries(1, 4))
    (gone, *_), (fresh,) = entries(1, 4), entries(9, 10)
    store = AccessStore(path, SECRET)
    store.load()
    store.change([fresh], [gone.key])
    store.close()
    assert loaded(path).entries.keys() == {entry.key for entry in [*entries(2, 4), fresh]}


def test_what_was_blocked_here_stays_blocked_through_another_list(path: Path) -> None:
    filled(path, entries(1, 4))
    store = AccessStore(path, SECRET)
    store.load()
    store.bar({b"a" * 16: "local:installer", b"b" * 16: "local:installer"})
    store.bar({}, [b"b" * 16])
    store.replace(entries(1, 3))
    store.close()
    assert loaded(path).barred == {b"a" * 16}


def test_no_number_no_pin_and_no_name_of_a_file_is_in_the_file(path: Path) -> None:
    filled(path, entries(1, 30))
    data = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert "2-1-7 住户 A".encode() in data
    assert b"1:7" not in data
    assert b"1007" not in data


def test_the_files_are_for_the_gateway_alone(tmp_path: Path, path: Path) -> None:
    filled(path, entries(1, 3))
    secret = tmp_path / "access.key"
    read_or_make(secret)
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_it_is_a_file_of_its_own_with_one_connection(path: Path) -> None:
    store = AccessStore(path, SECRET)
    store.load()
    with pytest.raises(AccessStoreError) as caught:
        AccessStore(path, SECRET).load()
    assert "another gateway" in caught.value.hint
    assert not path.with_name("access.db-shm").exists()
    store.close()


def test_a_secret_is_made_once(tmp_path: Path) -> None:
    first = read_or_make(tmp_path / "access.key")
    assert len(first.key) == 32
    assert read_or_make(tmp_path / "access.key").key == first.key


def test_a_broken_secret_is_set_aside_and_its_list_is_worth_nothing(tmp_path: Path, path: Path) -> None:
    filled(path, entries(1, 5))
    (tmp_path / "access.key").write_bytes(b"short")
    fresh = read_or_make(tmp_path / "access.key")
    assert (tmp_path / "access.key.set-aside-1").read_bytes() == b"short"
    store = AccessStore(path, fresh)
    told = store.load()
    store.close()
    assert (len(told.listed), told.bad) == (0, 4)


def test_a_row_somebody_put_in_without_the_secret_opens_nothing(path: Path) -> None:
    filled(path, entries(1, 5))
    with sqlite3.connect(path) as other:
        other.execute("UPDATE entry SET row = replace(row, 'gate-east', '*')")
        other.execute("INSERT INTO barred VALUES (?, 'me', ?)", (b"x" * 16, b"y" * 16))
    other.close()
    store = AccessStore(path, SECRET)
    told = store.load()
    store.close()
    assert (len(told.listed), told.listed.barred, told.bad) == (0, frozenset([b"x" * 16]), 5)


@pytest.mark.parametrize("damage", ["garbage", "cut", "hole", "empty", "foreign"])
def test_a_damaged_file_is_set_aside_and_what_is_whole_is_kept(path: Path, damage: str) -> None:
    filled(path, entries(1, 2000))
    size = path.stat().st_size
    with path.open("r+b") as file:
        match damage:
            case "garbage":
                file.write(os.urandom(4096))
            case "cut":
                file.truncate(size // 2)
            case "hole":
                file.seek(size // 2)
                file.write(os.urandom(8192))
            case "empty":
                file.truncate(0)
            case "foreign":
                file.close()
                path.unlink()
                with sqlite3.connect(path) as other:
                    other.execute("CREATE TABLE photos (x)")
                other.close()
    store = AccessStore(path, SECRET)
    told = store.load()
    good = {entry.key for entry in entries(1, 2000)}
    assert told.listed.entries.keys() <= good
    if damage != "empty":  # an empty file is a new one
        assert told.aside is not None
        assert told.aside.exists()
    store.replace(entries(1, 2000))
    store.close()
    assert loaded(path).entries.keys() == good


def test_rows_of_a_file_with_a_hole_are_saved(path: Path) -> None:
    filled(path, entries(1, 2000))
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 8192)
        file.write(os.urandom(8192))
    store = AccessStore(path, SECRET)
    told = store.load()
    store.close()
    assert told.aside is not None
    assert len(told.listed) > 500
    assert len(loaded(path)) == len(told.listed)


def test_a_flipped_bit_costs_one_entry_and_is_told(path: Path) -> None:
    filled(path, entries(1, 40))
    data = bytearray(path.read_bytes())
    data[data.index(b"gate-east")] ^= 0x01
    path.write_bytes(data)
    store = AccessStore(path, SECRET)
    told = store.load()
    store.close()
    assert (len(told.listed), told.bad) == (38, 1)


@pytest.mark.parametrize("table", ["entry", "barred"])
def test_whatever_bit_flips_where_a_row_says_what_is_in_it_the_other_rows_are_loaded(
    path: Path, table: str
) -> None:
    good, key = {entry.key for entry in entries(1, 12)}, b"k" * 16
    filled(path, entries(1, 12))
    store = AccessStore(path, SECRET)
    store.load()
    store.bar({key: "local:caretaker"})
    store.close()
    whole = path.read_bytes()
    at = whole.index(min(good) if table == "entry" else key)
    for place, bit in itertools.product(range(at - 6, at), (0, 2, 3, 6)):
        data = bytearray(whole)
        data[place] ^= 1 << bit
        path.write_bytes(data)
        store = AccessStore(path, SECRET)
        told = store.load()
        store.close()
        assert told.listed.entries.keys() <= good
        if table == "barred":
            assert told.listed.entries.keys() == good
        if told.aside is None:
            assert len(told.listed) + told.bad >= len(good)


@pytest.mark.parametrize("became", [b"sea\xec", b"seam"])
def test_a_bit_that_flips_in_what_describes_the_file_has_it_set_aside(path: Path, became: bytes) -> None:
    filled(path, entries(1, 12))
    path.write_bytes(path.read_bytes().replace(b"seal", became))
    store = AccessStore(path, SECRET)
    told = store.load()
    assert told.aside is not None
    store.replace(entries(1, 12))
    store.close()
    assert len(loaded(path)) == 11


def barred_and_flipped(path: Path, *, hole: bool = False) -> bytes:
    """Block a card, flip a bit in who did so, and tear the end of the file if wanted; return its key."""
    filled(path, entries(1, 2000))
    key = entries(1, 2)[0].key
    store = AccessStore(path, SECRET)
    store.load()
    store.bar({key: "local:caretaker"})
    store.close()
    data = bytearray(path.read_bytes())
    data[data.index(b"caretaker")] ^= 0x01
    if hole:
        data[-8192:] = os.urandom(8192)
    path.write_bytes(data)
    return key


def test_a_card_blocked_here_stays_blocked_when_a_bit_of_its_row_flips(path: Path) -> None:
    key = barred_and_flipped(path)
    store = AccessStore(path, SECRET)
    told = store.load()
    assert (told.listed.barred, told.bad, len(told.listed)) == (frozenset([key]), 1, 1999)
    store.bar({}, [key])
    store.close()
    assert loaded(path).barred == frozenset(), "and a person can let it go again"


def test_a_card_blocked_here_stays_blocked_though_the_file_is_damaged_elsewhere_too(path: Path) -> None:
    key = barred_and_flipped(path, hole=True)
    store = AccessStore(path, SECRET)
    told = store.load()
    store.close()
    assert told.aside is not None
    assert key in told.listed.barred
    assert loaded(path).barred == told.listed.barred


def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    filled(path, entries(1, 3))
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(AccessStoreError, match="version 99"):
        AccessStore(path, SECRET).load()
    assert path.exists()


def test_a_full_disk_leaves_the_list_as_it_was(path: Path) -> None:
    filled(path, entries(1, 50))
    store = AccessStore(path, SECRET)
    store.load()
    assert store._connection is not None
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")  # SQLite then answers as for a full disk
    with pytest.raises(AccessStoreError) as caught:
        store.replace(entries(1, 5000))
    assert "full" in caught.value.hint
    store.close()
    assert loaded(path).entries.keys() == {entry.key for entry in entries(1, 50)}


def test_a_place_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(AccessStoreError):
        AccessStore(tmp_path / "not there" / "access.db", SECRET).load()

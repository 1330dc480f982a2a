"""The list in force: where it comes from, what it takes to change it, and that a bad one never does."""

import asyncio
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread, current_thread
from types import ModuleType
from typing import Any

import pytest

from gateway.core.access import DoorFacts, Entry
from gateway.core.cards import written
from gateway.core.config import AccessTable
from gateway.core.events import Body, Clock, NoteBody
from gateway.core.policy import PolicyError
from gateway.core.schedule import parse
from gateway.runtime.access import AccessStore, AccessStoreError
from gateway.runtime.stream import Stamp
from gateway.services.access import Access, pulling, source
from gateway.services.access import book as book_module
from gateway.services.access.book import Book, ListRefusedError
from gateway.services.access.operations import CardOperations
from gateway.services.access.pulling import pull
from gateway.services.access.source import POLL_S, Source
from gateway.services.access.upstream import Pulled, PullError, Upstream
from tests import virtual

HEAD = "card,pin,holder,doors,schedule\n"
DOORS = (DoorFacts("gate", readers=("reader-1",)),)
SCHEDULES = {"nights": parse(["daily 22:00-06:00"])}


def lines(first: int, last: int) -> str:
    return HEAD + "".join(f"12:{n},,2-1-{n} 住户 A,*,\n" for n in range(first, last))


class Told(list[Body]):
    """What was submitted."""

    def of(self, what: str) -> list[str]:
        return [body.detail for body in self if isinstance(body, NoteBody) and body.what == what]


def with_book(folder: Path, act: Callable[[Book, Told], Awaitable[None]]) -> Told:
    async def main() -> Told:
        told = Told()
        book = Book(folder, DOORS, SCHEDULES, submit=told.append)
        await book.open()
        keeping = asyncio.create_task(book.keep())
        try:
            await act(book, told)
            await book.close()
        finally:
            keeping.cancel()
        return told

    return asyncio.run(main())  # a real disk in a thread, so no virtual time


async def take(book: Book, text: str, **how: bool) -> None:
    await book.take(await book.read(text.encode()), "local:installer", **how)


# --- changing it ----------------------------------------------------------------------------------


def test_a_list_is_in_force_at_once_and_after_a_restart(tmp_path: Path) -> None:
    async def bring(book: Book, _: Told) -> None:
        await take(book, lines(1, 9), store_must=True)
        assert len(book.listed) == 8

    async def look(book: Book, _: Told) -> None:
        assert book.listed.of_card(book.secret.card(written("12:3"))) is not None

    told = with_book(tmp_path, bring)
    assert told.of("access.list_changed") == [
        "local:installer: 8 new, 0 changed, 0 gone, 0 as before, 8 in all"
    ]
    assert with_book(tmp_path, look) == []


@pytest.mark.parametrize("bad", ["", HEAD, HEAD + "12:1,,A,*,\n12:2,,,*,\n", HEAD + "12:1,,A,*,mornings\n"])
def test_a_bad_list_changes_nothing(tmp_path: Path, bad: str) -> None:
    async def act(book: Book, _: Told) -> None:
        await take(book, lines(1, 9))
        with pytest.raises(ListRefusedError):
            await take(book, bad)
        assert len(book.listed) == 8

    with_book(tmp_path, act)


def test_more_than_half_goes_only_when_it_is_meant(tmp_path: Path) -> None:
    async def act(book: Book, _: Told) -> None:
        await take(book, lines(1, 9))
        with pytest.raises(ListRefusedError) as caught:
            await take(book, lines(1, 4))
        assert caught.value.changes is not None
        assert caught.value.changes.gone == 5
        await take(book, lines(1, 4), dry_run=True)
        assert len(book.listed) == 8
        await take(book, lines(1, 4), force=True)
        assert len(book.listed) == 3

    with_book(tmp_path, act)


def test_what_is_blocked_here_outlives_lists_and_restarts(tmp_path: Path) -> None:
    async def block(book: Book, _: Told) -> None:
        await take(book, lines(1, 3), store_must=True)
        await book.bar([book.secret.card(written("12:1"))], "local:installer", blocked=True)
        await take(book, lines(1, 4), store_must=True)

    async def look(book: Book, _: Told) -> None:
        entry = book.listed.of_card(book.secret.card(written("12:1")))
        assert entry is not None
        assert book.listed.is_blocked(entry)
        await book.bar([entry.key], "local:installer", blocked=False)
        assert not book.listed.is_blocked(entry)

    told = with_book(tmp_path, block)
    assert told.of("access.list_changed")[1] == "local:installer: blocked: 2-1-1 住户 A …0001"
    with_book(tmp_path, look)


@pytest.mark.parametrize("first", [",4821,保洁 A,*,\n", "12:1,4821,保洁 A,*,\n"])
def test_whoever_is_added_with_the_pin_of_somebody_else_does_not_take_their_place(
    tmp_path: Path, first: str
) -> None:
    async def act(book: Book, _: Told) -> None:
        await take(book, HEAD + first, store_must=True)
        told = await book.read((HEAD + ",4821,访客 B,*,\n").encode())
        with pytest.raises(PolicyError, match="somebody else's"):
            await book.put(told.rows[0], "local:installer")
        again = await book.read((HEAD + first).encode())
        await book.put(again.rows[0], "local:installer")
        assert [entry.holder for entry in book.listed.of_pin(book.secret.pin("4821"))] == ["保洁 A"]

    with_book(tmp_path, act)


def test_a_disk_that_refuses_stops_a_person_and_not_a_list_from_upstream(tmp_path: Path) -> None:
    """A list that blocks a card must work though it cannot be kept."""

    async def act(book: Book, _: Told) -> None:
        await take(book, lines(1, 3), store_must=True)
        await book.close()
        with pytest.raises(AccessStoreError):
            await take(book, lines(1, 4), store_must=True)
        assert len(book.listed) == 2
        await take(book, lines(1, 4))
        assert len(book.listed) == 3
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    (bad,) = with_book(tmp_path, act).of("access.list_bad")
    assert "could not be kept" in bad


def test_a_card_that_is_blocked_while_the_disk_refuses_stays_blocked_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full for a while; whoever lost the card was told that it is blocked."""
    monkeypatch.setattr(book_module, "AGAIN_S", 0.02)

    async def block(book: Book, told: Told) -> None:
        await take(book, lines(1, 3), store_must=True)
        assert book._store is not None
        connection = book._store._connection
        assert connection is not None
        connection.execute("PRAGMA query_only = ON")
        operations = CardOperations(
            book, DOORS, source=dict, now=lambda: Stamp(0.0, 0.0, Clock.SYNCED), offset_h=8.0
        )
        asked = operations.by_name["cards_block"]({"who": "12:1", "origin": "local:installer"})
        assert isinstance(asked, Coroutine)
        with pytest.raises(PolicyError, match="blocked now, and after a restart only if the disk takes it"):
            await asked
        await until(lambda: bool(told.of("access.list_bad")))
        connection.execute("PRAGMA query_only = OFF")
        await until(lambda: not book._owed_bars)

    async def look(book: Book, _: Told) -> None:
        assert book.listed.barred == {book.secret.card(written("12:1"))}

    told = with_book(tmp_path, block)
    assert len(told.of("access.list_bad")) == 1
    assert told.of("access.list_changed")[-2:] == [
        "local:installer: blocked, and not kept yet: 2-1-1 住户 A …0001",
        "what could not be kept is on the disk now",
    ]
    with_book(tmp_path, look)


def test_a_card_that_is_removed_while_a_list_is_being_stored_does_not_come_back_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def remove(book: Book, _: Told) -> None:
        store = book._store
        assert store is not None
        replace, change = store.replace, store.change
        began, changed, replaced = Event(), Event(), Event()

        def slow_replace(entries: Iterable[Entry]) -> None:
            began.set()
            changed.wait(10)
            replace(entries)
            replaced.set()

        def slow_change(put: Sequence[Entry] = (), removed: Iterable[bytes] = ()) -> None:
            change(put, removed)
            changed.set()
            replaced.wait(10)

        await take(book, lines(1, 4), store_must=True)
        monkeypatch.setattr(store, "replace", slow_replace)
        monkeypatch.setattr(store, "change", slow_change)
        await take(book, lines(1, 5))
        await until(began.is_set)
        await book.remove([book.secret.card(written("12:1"))], "local:installer")
        await until(lambda: kept(store) == 3)

    async def look(book: Book, _: Told) -> None:
        assert book.listed.of_card(book.secret.card(written("12:1"))) is None
        assert len(book.listed) == 3

    with_book(tmp_path, remove)
    with_book(tmp_path, look)


def test_a_disk_that_hangs_holds_up_no_list_and_no_blocked_card(tmp_path: Path) -> None:
    """The store is busy, as with a statement on a memory card that does not answer."""

    async def main() -> None:
        book = Book(tmp_path, DOORS, SCHEDULES, submit=lambda _: None)
        await book.open()
        assert book._store is not None
        store, card = book._store, book.secret.card(written("12:1"))
        keeping = asyncio.create_task(book.keep())
        with store._busy:
            await take(book, lines(1, 4))
            await take(book, lines(1, 5))
            assert len(book.listed) == 4
            blocking = asyncio.create_task(book.bar([card], "local:installer", blocked=True))
            await until(lambda: card in book.listed.barred)
        await blocking
        await until(lambda: kept(store) == 4)
        keeping.cancel()
        await book.close()

    asyncio.run(main())


def test_a_card_is_blocked_at_once_also_while_another_change_waits_for_the_disk(tmp_path: Path) -> None:
    async def act(book: Book, _: Told) -> None:
        assert book._store is not None
        card, other = (book.secret.card(written(each)) for each in ("12:1", "12:2"))
        await take(book, lines(1, 4), store_must=True)
        await book.bar([other], "local:installer", blocked=True)
        (row,) = (await book.read(lines(9, 10).encode())).rows
        with book._store._busy:
            freeing = asyncio.create_task(book.bar([other], "local:installer", blocked=False))
            adding = asyncio.create_task(book.put(row, "local:installer"))
            await until(book._changing.locked)
            blocking = asyncio.create_task(book.bar([card], "local:warden", blocked=True))
            await until(lambda: card in book.listed.barred)
            assert not freeing.done()
        await asyncio.gather(freeing, adding, blocking)
        assert book.listed.barred == {card}
        assert len(book.listed) == 4

    async def look(book: Book, _: Told) -> None:
        assert book.listed.barred == {book.secret.card(written("12:1"))}

    with_book(tmp_path, act)
    with_book(tmp_path, look)


def kept(store: AccessStore) -> int:
    with store._busy:
        assert store._connection is not None
        count: int = store._connection.execute("SELECT count(*) FROM entry").fetchone()[0]
        return count


def test_a_person_does_not_wait_for_ever_for_a_disk_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book_module, "STORE_S", 0.05)

    async def main() -> None:
        book = Book(tmp_path, DOORS, SCHEDULES, submit=lambda _: None)
        await book.open()
        assert book._store is not None
        with book._store._busy:
            with pytest.raises(AccessStoreError, match="does not answer"):
                await take(book, lines(1, 4), store_must=True)
            assert len(book.listed) == 0
        await book.close()

    asyncio.run(main())


def test_cards_open_also_while_the_disk_has_still_to_store_the_list_of_an_earlier_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reload while a long list is being stored: the file is locked until that is done, and then it is opened."""
    monkeypatch.setattr(source, "REOPEN_S", 0.02)

    async def main() -> None:
        told, book = Told(), Book(tmp_path, DOORS, SCHEDULES, submit=lambda _: None)
        await book.open()
        await take(book, lines(1, 9), store_must=True)
        await book.bar([book.secret.card(written("12:1"))], "local:installer", blocked=True)
        fresh = Book(tmp_path, DOORS, SCHEDULES, submit=told.append)
        running = asyncio.create_task(Source(AccessTable(), fresh, wall=lambda: 0.0).run())
        await until(lambda: bool(told.of("access.list_bad")))
        assert fresh.listed.barred == {fresh.secret.card(written("12:1"))}
        assert fresh.listed.of_card(fresh.secret.card(written("12:8"))) is not None
        with pytest.raises(AccessStoreError):
            await take(fresh, lines(1, 10), store_must=True)
        await book.close()
        await until(lambda: fresh._store is not None)
        await take(fresh, lines(1, 10), store_must=True)
        assert (len(fresh.listed), len(fresh.listed.barred)) == (9, 1)
        assert len(told.of("access.list_bad")) == 1
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(main())


def test_a_gateway_without_any_list_says_that_every_card_is_denied(tmp_path: Path) -> None:
    async def act(book: Book, _: Told) -> None:
        assert not book.ready

    with_book(tmp_path / "not there", act)


def test_without_a_folder_to_write_in_a_list_still_works_in_memory(tmp_path: Path) -> None:
    async def act(book: Book, told: Told) -> None:
        assert "cannot be loaded" in told.of("access.list_bad")[0]
        await take(book, lines(1, 3))
        assert len(book.listed) == 2

    with_book(tmp_path / "not there", act)


def test_a_card_blocked_before_the_secret_could_be_read_is_told_to_be_blocked_again(tmp_path: Path) -> None:
    """What was hashed with another secret bars nobody; whoever blocked it believes that it does."""

    async def bring(book: Book, _: Told) -> None:
        await take(book, lines(1, 3), store_must=True)

    async def block(book: Book, told: Told) -> None:
        assert "cannot be loaded" in told.of("access.list_bad")[0]
        with suppress(AccessStoreError):
            await book.bar([book.secret.card(written("12:1"))], "local:caretaker", blocked=True)
        secret.rmdir()
        kept.rename(secret)
        assert await book.open()
        assert len(book.listed) == 2
        assert book.listed.barred == frozenset()

    with_book(tmp_path, bring)
    secret, kept = tmp_path / "access.key", tmp_path / "kept"
    secret.rename(kept)
    secret.mkdir()
    told = with_book(tmp_path, block).of("access.list_bad")
    assert told[-1] == "blocked here before the secret could be read, and to be blocked again: 1"


def test_a_damaged_row_of_a_blocked_card_has_somebody_look_at_the_blocked_cards(tmp_path: Path) -> None:
    async def block(book: Book, _: Told) -> None:
        await take(book, lines(1, 3), store_must=True)
        await book.bar([book.secret.card(written("12:1"))], "local:caretaker", blocked=True)

    async def look(book: Book, _: Told) -> None:
        entry = book.listed.of_card(book.secret.card(written("12:1")))
        assert entry is not None
        assert book.listed.is_blocked(entry)

    with_book(tmp_path, block)
    path = tmp_path / "access.db"
    path.write_bytes(path.read_bytes().replace(b"caretaker", b"karetaker"))
    (note,) = with_book(tmp_path, look).of("access.list_bad")
    assert note.endswith("import the list again, and look which cards are to be blocked")


def test_a_damaged_file_is_told_with_where_it_was_put(tmp_path: Path) -> None:
    async def bring(book: Book, _: Told) -> None:
        await take(book, lines(1, 3), store_must=True)

    async def nothing(book: Book, _: Told) -> None:
        del book

    with_book(tmp_path, bring)
    (tmp_path / "access.db").write_bytes(b"no database at all, by any means" * 200)
    (told,) = with_book(tmp_path, nothing).of("access.list_bad")
    assert str(tmp_path / "access.db.set-aside-1") in told


# --- a file ---------------------------------------------------------------------------------------


def followed(tmp_path: Path, act: Callable[[Path, Book, Told], Awaitable[None]]) -> None:
    """Let `act` happen beside a source that watches a file."""

    async def main() -> None:
        told, path = Told(), tmp_path / "access.csv"
        path.write_text(lines(1, 9), encoding="utf-8")
        book = Book(tmp_path, DOORS, SCHEDULES, submit=told.append)
        running = asyncio.create_task(Source(AccessTable(file=str(path)), book, wall=lambda: 0.0).run())
        await until(lambda: len(book.listed) == 8)
        await act(path, book, told)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(main())


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "POLL_S", 0.02)


@pytest.mark.usefixtures("quick")
def test_a_file_is_read_at_the_start_and_whenever_it_changes(tmp_path: Path) -> None:
    assert POLL_S <= 10

    async def act(path: Path, book: Book, _: Told) -> None:
        path.write_text(lines(1, 11), encoding="utf-8")
        await until(lambda: len(book.listed) == 10)

    followed(tmp_path, act)


@pytest.mark.usefixtures("quick")
def test_a_bad_file_is_told_once_and_the_list_stays(tmp_path: Path) -> None:
    async def act(path: Path, book: Book, told: Told) -> None:
        path.write_text("not a list\n", encoding="utf-8")
        await until(lambda: bool(told.of("access.list_bad")))
        await asyncio.sleep(0.2)
        assert len(told.of("access.list_bad")) == 1
        path.unlink()
        await until(lambda: len(told.of("access.list_bad")) == 2)
        assert len(book.listed) == 8
        path.write_text(lines(1, 10), encoding="utf-8")
        await until(lambda: len(book.listed) == 9)

    followed(tmp_path, act)


@pytest.mark.usefixtures("quick")
def test_a_cut_file_does_not_lock_the_compound_out(tmp_path: Path) -> None:
    async def act(path: Path, book: Book, told: Told) -> None:
        path.write_text(lines(1, 3), encoding="utf-8")
        await until(lambda: bool(told.of("access.list_bad")))
        assert "more than half" in told.of("access.list_bad")[0]
        assert len(book.listed) == 8

    followed(tmp_path, act)


# --- upstream -------------------------------------------------------------------------------------


def asked(folder: Path, answers: list[Pulled | PullError], seconds: float) -> tuple[list[float], Told, int]:
    """Return when upstream was asked, what was told and how many entries there are, in virtual time."""

    async def main() -> tuple[list[float], Told, int]:
        told, times, left = Told(), list[float](), list(answers)

        async def answer(_: Upstream, etag: str) -> Pulled:
            times.append(asyncio.get_running_loop().time())
            given = left.pop(0) if left else Pulled(None, etag)
            if isinstance(given, PullError):
                raise given
            return given

        book = Book(folder, DOORS, SCHEDULES, submit=told.append)
        await book.open()
        read = await book.read(lines(1, 9).encode())
        await book.take(read, "test")
        book.read = lambda _: _return(read)  # type: ignore[method-assign,assignment]
        table = AccessTable(url="https://desk.example/access.csv", pull_minutes=16)
        running = asyncio.create_task(Source(table, book, wall=lambda: 0.0, pull=answer).run())
        await asyncio.sleep(seconds)
        running.cancel()
        return times, told, len(book.listed)

    return virtual.run(main())


async def _return(value: Any) -> Any:
    return value


def test_an_address_that_does_not_answer_is_asked_with_growing_pauses(tmp_path: Path) -> None:
    times, told, entries = asked(tmp_path, [PullError("no route")] * 20, 6000)
    pauses = [after - before for before, after in pairwise(times)]
    for pause_s, wanted_s in zip(pauses, [60, 120, 240, 480, 960, 960], strict=False):
        assert pause_s == pytest.approx(wanted_s, rel=0.11)
    assert told.of("access.list_bad") == [], "a network that is away is no fault of the list"
    assert entries == 8


def test_what_fetches_a_list_is_loaded_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a tenth of a second, and on a Pi more, in which no line would be polled."""
    loaded_in: list[Thread] = []

    class Loading(ModuleType):
        def __getattr__(self, name: str) -> Any:
            loaded_in.append(current_thread())
            return lambda *_: Pulled(None, name)

    monkeypatch.setitem(sys.modules, pulling.__name__, Loading("pulling"))
    assert asyncio.run(source._pull(Upstream("https://desk.example/access.csv"), "")).data is None
    assert loaded_in
    assert current_thread() not in loaded_in


@pytest.fixture
def upstream() -> Any:
    """A web server whose answers are given by the test, and what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        answer: tuple[int, dict[str, str], bytes] = (200, {"ETag": '"1"'}, lines(1, 4).encode())
        asked: list[dict[str, str]] = []  # noqa: RUF012

        def do_GET(self) -> None:
            Handler.asked.append(dict(self.headers))
            status, headers, body = Handler.answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/access.csv", Handler
        server.shutdown()
        thread.join()


def test_a_list_is_pulled_with_a_token_and_asked_for_again_by_its_etag(upstream: Any, tmp_path: Path) -> None:
    url, handler = upstream
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    first = pull(Upstream(url, str(token)))
    assert (first.data, first.etag) == (lines(1, 4).encode(), '"1"')
    handler.answer = (304, {}, b"")
    assert pull(Upstream(url, str(token)), first.etag) == Pulled(None, '"1"')
    assert [asked.get("Authorization") for asked in handler.asked] == ["Bearer s3cret"] * 2
    assert handler.asked[1]["If-None-Match"] == '"1"'
    assert "s3cret" not in repr(Upstream(url, str(token)))


def test_an_answer_that_trickles_in_byte_by_byte_is_given_up_after_its_time() -> None:
    """Or the list would not be asked for again, and a card blocked there would open here, for days."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def trickle() -> None:
            line, _ = server.accept()
            with line, suppress(OSError):
                line.recv(4096)
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                while not given_up.wait(0.05):
                    line.sendall(b"x")

        given_up, thread = Event(), Thread(target=trickle)
        thread.start()
        began = time.monotonic()
        with pytest.raises(PullError, match="too long"):
            pull(Upstream(f"http://127.0.0.1:{server.getsockname()[1]}/"), silent_s=2.0, whole_s=0.2)
        assert time.monotonic() - began < 2.0
        given_up.set()
        thread.join()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((401, {}, b""), "it answers 401"),
        ((500, {}, b""), "it answers 500"),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), "it answers 302"),
        ((200, {"Content-Length": "10"}, b"123"), "breaks off 7 bytes too early"),
        ((200, {}, b"x" * 5000), "more than 1000 bytes"),
    ],
)
def test_a_bad_answer_is_told(
    upstream: Any, answer: tuple[int, dict[str, str], bytes], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling, "MOST_BYTES", 1000)
    url, handler = upstream
    handler.answer = answer
    with pytest.raises(PullError, match=why):
        pull(Upstream(url))


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak: x", "密"])
def test_a_token_that_is_none_is_told_and_not_sent(upstream: Any, tmp_path: Path, token: str) -> None:
    file = tmp_path / "token"
    file.write_text(token, encoding="utf-8")
    with pytest.raises(PullError):
        pull(Upstream(upstream[0], str(file)))
    assert upstream[1].asked == []


def test_nobody_there_is_told() -> None:
    with pytest.raises(PullError, match="refused"):
        pull(Upstream("http://127.0.0.1:1/access.csv"))


# --- what the control socket asks -----------------------------------------------------------------


class Asking:
    """Access with its operations, as the control socket has them."""

    def __init__(self, folder: Path) -> None:
        self.told = Told()
        self.access = Access(
            None,
            DOORS,
            SCHEDULES,
            folder=folder,
            submit=self.told.append,
            grant=lambda *_: None,
            feedback=lambda *_: None,
            now=lambda: Stamp(1.0, 1.0, Clock.SYNCED),
        )

    async def ask(self, op: str, **fields: Any) -> Any:
        answer = self.access.operations[op]({"op": op, "origin": "local:installer", **fields})
        if isinstance(answer, Awaitable):
            return await answer
        return [line async for line in answer]

    async def bring(self, text: str, **how: Any) -> Any:
        half = len(text) // 2
        await self.ask("cards_import", upload="u1", part=0, text=text[:half])
        return await self.ask("cards_import", upload="u1", part=1, text=text[half:], last=True, **how)


def asking(folder: Path, act: Callable[[Asking], Awaitable[None]]) -> Told:
    async def main() -> Told:
        them = Asking(folder)
        running = asyncio.ensure_future(them.access.services["access list"]())
        await until(lambda: bool(them.access.statistics()["ready"]))
        await act(them)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        return them.told

    return asyncio.run(main())


def test_a_list_is_imported_in_parts(tmp_path: Path) -> None:
    async def act(them: Asking) -> None:
        answer = await them.bring(lines(1, 5), dry_run=True)
        assert (answer["taken"], answer["changes"]["new"]) == (False, 4)
        assert (await them.bring(lines(1, 5)))["taken"]
        refused = await them.bring(lines(1, 2))
        assert (refused["taken"], refused["changes"]["drops_half"]) == (False, True)
        assert (await them.bring(lines(1, 2), force=True))["taken"]
        faults = (await them.bring(HEAD + "12:1,,,*,\n"))["faults"]
        assert [(fault["key"], fault["line"]) for fault in faults] == [("holder", 2)]
        assert them.access.statistics()["entries"] == 1

    asking(tmp_path, act)


def test_parts_come_in_order_and_one_import_at_a_time(tmp_path: Path) -> None:
    async def act(them: Asking) -> None:
        await them.ask("cards_import", upload="u1", part=0, text="a")
        for upload, part in [("u2", 0), ("u1", 2), ("u3", 1), ("u1", -1)]:
            with pytest.raises(PolicyError):
                await them.ask("cards_import", upload=upload, part=part, text="b")
        with pytest.raises(PolicyError):
            await them.ask("cards_import", part=0)

    asking(tmp_path, act)


def test_the_list_is_told_with_masked_cards_and_by_door(tmp_path: Path) -> None:
    async def act(them: Asking) -> None:
        await them.bring(HEAD + "12:34567,4829,B,gate,nights\n12:34568,,A,elsewhere,\n")
        head, *rest = await them.ask("cards_list")
        assert (head["total"], head["blocked_here"]) == (2, 0)
        assert [card["holder"] for line in rest for card in line["cards"]] == ["A", "B"]
        (card,) = (await them.ask("cards_list", door="gate"))[1]["cards"]
        assert (card["card"], card["pin"], card["schedules"]) == ("…4567", True, ["nights"])
        with pytest.raises(PolicyError):
            await them.ask("cards_list", door="no such door")

    asking(tmp_path, act)


def test_one_card_is_added_blocked_let_go_and_removed(tmp_path: Path) -> None:
    async def act(them: Asking) -> None:
        added = await them.ask("cards_add", text=HEAD + "12:34567,,2-1-301 住户 A,gate,\n")
        assert added["cards"][0]["card"] == "…4567"
        wrong = await them.ask("cards_add", text=HEAD + "12345678,,A,gate,\n")
        assert (wrong["taken"], wrong["faults"][0]["key"]) == (False, "card")
        assert (await them.ask("cards_block", who="2-1-301 住户 A"))["cards"][0]["blocked_here"]
        assert (await them.ask("cards_block", who="99:1"))["count"] == 1, "a card found in the street"
        assert not (await them.ask("cards_unblock", who="12:34567"))["cards"][0]["blocked"]
        assert (await them.ask("cards_remove", who="12:34567"))["count"] == 1
        for op, who in [("cards_remove", "12:34567"), ("cards_unblock", "12:1"), ("cards_block", "nobody")]:
            with pytest.raises(PolicyError) as caught:
                await them.ask(op, who=who)
            assert "34567" not in str(caught.value)

    told = asking(tmp_path, act)
    assert "34567" not in repr(told)
    assert "local:installer: blocked: a card that is not in the list" in told.of("access.list_changed")

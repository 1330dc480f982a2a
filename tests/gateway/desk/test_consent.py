"""What a resident agreed to: from desk.toml to the record, and out of it to the last byte when its time is over."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from gateway.core.events import Change, Place
from gateway.desk import checking, reading, service, store
from gateway.desk.arrivals import Arrival
from gateway.desk.consent import Consent, allows
from gateway.desk.consent_checks import given
from gateway.desk.escalating import Escalation, Rules
from gateway.desk.grouping import home_of
from gateway.desk.masking import is_private, masked
from gateway.desk.retention import DAY_S, Retention
from gateway.desk.routing import Role
from gateway.desk.store import care, consents, events, files, people, work
from gateway.desk.store.database import Record
from gateway.desk.workflow import Command, Step
from gateway.runtime.systemd import Notifier
from tests import desk_parts
from tests.desk_canary import CODE, DEVICE, NAME, REMARK, SECRETS, agreed, arrival, found_in
from tests.desk_parts import NOW, RULES, opened
from tests.events import PLACE

FILE = """
[desk]
name = "street"
keep_days = 365
[[channel]]
name = "phones"
kind = "ntfy"
url = "http://127.0.0.1:2586"
[[channel]]
name = "bot"
kind = "wecom"
url_file = "wecom"
[[channel]]
name = "post"
kind = "mail"
host = "mail.example"
sender = "desk@example.com"
[[person]]
name = "warden-1"
role = "warden"
channels = [["bot", "@all"], ["phones", "warden-1"]]
[[person]]
name = "duty-room"
role = "duty_room"
channels = [["phones", "duty-room"]]
[[resident]]
gateway = "hxtp-01"
code = "2-1-301"
see = ["duty_room", "warden-1"]
shown = "building"
keep_days = 14
name = "N"
note = "W"
"""


def faults(old: str = "", new: str = "") -> list[tuple[str, bool]]:
    read = reading.parse(FILE.replace(old, new, 1) if old else FILE)
    return [
        (fault.key, fault.warning)
        for fault in (*read.faults, *checking.check(read))
        if fault.key.startswith(("resident", "person", "desk.care"))
    ]


def test_consent_is_read_as_it_stands_in_the_file() -> None:
    read = reading.parse(FILE)
    assert faults() == []
    (consent,) = given(read.residents.values())
    assert consent == Consent("hxtp-01", "2-1-301", ("duty_room", "warden-1"), "building", 14.0, "N", "W")


@pytest.mark.parametrize(
    ("old", "new", "key", "warning"),
    [
        ('see = ["duty_room", "warden-1"]', 'see = ["wardn-1"]', "resident[0].see", False),
        ('shown = "building"', 'shown = "door"', "resident[0].shown", False),
        ("keep_days = 14", "keep_days = 0", "resident[0].keep_days", False),
        ("keep_days = 14", "keep_days = 400", "resident[0].keep_days", False),
        ("keep_days = 365", "keep_days = 365\ncare_keep_days = 0.5", "desk.care_keep_days", False),
        ('code = "2-1-301"', 'code = ""', "resident[0].code", False),
        ('[["phones", "duty-room"]]', '[["bot", "@all"]]', "person[1].channels", True),
        ('[["phones", "duty-room"]]', '[["bot", "@all"], ["post", "a@b.cn"]]', "person[1].channels", True),
        ('note = "W"', 'note = "W"\n[[resident]]\ngateway = "hxtp-01"\ncode = "2-1-301"', "resident[1].code", False),
    ],
)  # fmt: skip
def test_a_mistake_in_a_consent_is_told_with_its_key(old: str, new: str, key: str, warning: bool) -> None:
    assert (key, warning) in faults(old, new)


def test_a_role_sees_what_was_agreed_to_in_its_own_place_and_without_consent_nobody_does() -> None:
    roles = (Role("w", "warden", PLACE), Role("w", "police", Place()))
    elsewhere = (Role("w", "warden", desk_parts.compound("别的院")),)
    assert allows(agreed("warden"), "w", roles, PLACE)
    assert allows(agreed("w"), "w", roles, PLACE)
    assert not allows(agreed("w"), "w", elsewhere, PLACE)
    assert not allows(agreed("warden"), "w", elsewhere, PLACE)
    assert not allows(agreed("committee"), "w", roles, PLACE)
    assert not allows(agreed(""), "", roles, PLACE)
    assert not allows(None, "w", roles, PLACE)


@pytest.mark.parametrize(
    ("kind", "code", "private"),
    [
        ("care.sos", "", True), ("care.never_heard_of", "", True), ("device.offline", CODE, True),
        ("device.offline", "?", True), ("device.offline", "", False), ("fire.smoke", CODE, False),
    ],
)  # fmt: skip
def test_what_is_about_a_resident_is_parted_and_a_fire_never_is(kind: str, code: str, private: bool) -> None:
    assert is_private(arrival(1, kind=kind, code=code)) is private


@pytest.mark.parametrize(
    ("kind", "zh", "en"),
    [
        ("care.fall", "2 栋 1 单元 可能有人跌倒", "Somebody may have fallen, building 2, unit 1"),
        ("care.never_heard_of", "2 栋 1 单元 有人需要看望", "Somebody may need help, building 2, unit 1"),
        ("device.offline", "2 栋 1 单元 看护设备需要检查", "A care device wants looking at, building 2, unit 1"),
    ],
)  # fmt: skip
def test_everybody_is_told_what_is_the_matter_and_in_which_stairwell(kind: str, zh: str, en: str) -> None:
    told = masked(arrival(1, kind=kind), "unit")
    assert (told.text.zh, told.text.en) == (zh, en)
    assert found_in(f"{told.text} {told.body} {told.device}".encode()) == set()
    over = masked(arrival(2, kind=kind, change=Change.CLEARED), "unit")
    assert over.text.zh == f"{zh}，已恢复正常"


async def taken(database: Record, *batch: Arrival) -> None:
    async with database.transaction() as transaction:
        await events.ingest(transaction, batch, NOW)


async def closed(database: Record, alert: str, name: str) -> None:
    """Have somebody write about an alert and close it."""
    steps = (
        Command(f"{name}-1", alert, Step.NOTE, "property-1", note=REMARK),
        Command(f"{name}-2", alert, Step.RESOLVE, "property-1", note=REMARK, cause=f"real: {REMARK}"),
    )
    async with database.transaction() as transaction:
        for each in steps:
            await work.take_step(transaction, each, NOW)


def run(where: str, body: Callable[[Record], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(60), opened(where) as database:
            async with database.transaction() as transaction:
                await people.replace(transaction, desk_parts.people())
            await body(database)

    asyncio.run(main())


async def agree(database: Record, *told: Consent) -> None:
    async with database.transaction() as transaction:
        await consents.replace(transaction, told, NOW)


async def homes(database: Record) -> set[str]:
    async with database.transaction() as transaction:
        rows = await transaction.fetch("SELECT alert FROM care")
        parts = await transaction.fetch("SELECT DISTINCT alert FROM care_told")
    assert {row["alert"] for row in rows} == {row["alert"] for row in parts}
    return {row["alert"] for row in rows}


def test_what_is_known_of_a_resident_goes_when_they_said_and_what_is_open_stays(where: str) -> None:
    async def body(database: Record) -> None:
        await agree(database, agreed(keep_days=3.0))
        soon, late, still = arrival(1, life=1), arrival(2, life=2, code="9-9-902"), arrival(3, life=3)
        await taken(database, soon, late, still)
        for each in (soon, late):
            await closed(database, each.alert, each.alert[-4:])
        now = NOW
        retention = Retention(database, keep_days=730.0, care_days=30.0, now=lambda: now)
        for days, left in (
            (2.9, {soon, late, still}),
            (3.1, {late, still}),
            (30.1, {still}),
            (729.0, {still}),
        ):
            now = NOW + days * DAY_S
            await retention.look()
            assert await homes(database) == {each.alert for each in left}, days
        async with database.transaction() as transaction:
            rows = {row["alert"]: row for row in await transaction.fetch("SELECT * FROM alerts")}
            photos = await transaction.fetch("SELECT * FROM attachments")
        assert "building" not in msgspec.json.decode(rows[soon.alert]["place"])
        assert rows[soon.alert]["kind"] == "care.fall"  # a number in the statistics, of the compound
        assert msgspec.json.decode(rows[still.alert]["place"])["floor"] == "3"
        assert photos == []

    run(where, body)


def test_photos_of_a_resident_go_with_what_is_known_of_them(where: str) -> None:
    async def body(database: Record) -> None:
        await taken(database, arrival(1))
        async with database.transaction() as transaction:
            await files.add(transaction, "a" * 64, kind="photo", media="image/jpeg", size=1, who="w", now=NOW)
            await files.attach(transaction, [(arrival(1).alert, "a" * 64, "w")], NOW)
        await closed(database, arrival(1).alert, "x")
        later = NOW + 31 * DAY_S
        await Retention(database, keep_days=730.0, now=lambda: later).look()
        async with database.transaction() as transaction:
            assert await files.known(transaction, ["a" * 64]) == set()
            assert await files.gone_since(transaction, NOW) == [
                "a" * 64
            ]  # the folder's sweep takes it from there

    run(where, body)


def test_consent_taken_back_throws_away_at_once_what_is_closed_and_what_is_open_as_soon_as_it_is(
    where: str,
) -> None:
    async def body(database: Record) -> None:
        await agree(database, agreed("committee"))
        over, still = arrival(1, life=1), arrival(2, life=2)
        await taken(database, over, still)
        await closed(database, over.alert, "over")
        await agree(database)
        retention = Retention(database, keep_days=730.0, now=lambda: NOW + 1)
        await retention.turn()
        assert await homes(database) == {still.alert}
        await closed(database, still.alert, "still")
        await retention.turn()
        assert await homes(database) == set()

    run(where, body)


def test_a_late_word_of_a_forgotten_alert_calls_nobody_and_goes_again(where: str) -> None:
    async def body(database: Record) -> None:
        await taken(database, arrival(1))
        await closed(database, arrival(1).alert, "x")
        later = NOW + 31 * DAY_S
        retention = Retention(database, keep_days=730.0, now=lambda: later)
        await retention.look()
        await Escalation(database, RULES, now=lambda: NOW).look()
        async with database.transaction() as transaction:
            before = await transaction.fetch("SELECT id FROM notifications")
        await taken(database, arrival(2, change=Change.CLEARED))
        await Escalation(database, RULES, now=lambda: later).look()
        async with database.transaction() as transaction:
            assert len(await transaction.fetch("SELECT id FROM notifications")) == len(before)
        await retention.look()
        assert await homes(database) == set()

    run(where, body)


def test_two_people_who_call_for_help_are_two_calls(where: str) -> None:
    async def body(database: Record) -> None:
        await taken(database, *(arrival(n, life=n, kind="care.sos", code=f"2-1-{n}") for n in range(1, 4)))
        async with database.transaction() as transaction:
            rows = await transaction.fetch("SELECT incident FROM incidents")
        assert len(rows) == 3
        assert found_in(str([row["incident"] for row in rows]).encode(), ("2-1-1", DEVICE)) == set()

    run(where, body)


def test_a_resident_is_told_of_over_ones_own_channel_before_a_groups(where: str) -> None:
    async def body(database: Record) -> None:
        rules = Rules(RULES.ladders, None, frozenset({"phones"}))
        await taken(database, arrival(1), desk_parts.arrival(2))
        await Escalation(database, rules, now=lambda: NOW).look()
        async with database.transaction() as transaction:
            rows = await transaction.fetch("SELECT incident, channels FROM notifications")
        first = {"care" in row["incident"]: msgspec.json.decode(row["channels"])[0][0] for row in rows}
        assert first == {True: "bot", False: "phones"}

    run(where, body)


def bytes_of(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the bytes of the record and of its log."""
    for file in sorted(folder.glob("desk.db*")):
        yield file.name, file.read_bytes()


async def crowd(database: Record) -> list[Arrival]:
    """Have three hundred residents' alerts among others, all but one of them closed and written about."""
    made = [arrival(n, life=n, gateway=f"g-{n % 7}") for n in range(1, 301)]
    for n in range(0, 300, 20):
        await taken(database, *made[n : n + 20], *(desk_parts.arrival(1000 + m) for m in range(n, n + 20)))
    for each in made[:-1]:
        await closed(database, each.alert, f"{each.gateway}-{each.seq}")
    await agree(database, agreed("committee"), *(Consent(f"g-{n}", CODE, (), name=NAME) for n in range(6)))
    return made


def test_no_byte_of_what_was_thrown_away_is_left_in_the_files_of_the_record(tmp_path: Path) -> None:
    """Not in a freed page, not where a row stood before its neighbours moved, not in the write-ahead log."""

    async def body(database: Record) -> None:
        made = await crowd(database)
        there = set[str]()
        for _, content in bytes_of(tmp_path):
            there |= found_in(content)
        assert there >= {CODE, DEVICE, NAME, REMARK}
        later = NOW + 31 * DAY_S
        retention = Retention(database, keep_days=730.0, now=lambda: later)
        await retention.look()
        assert await homes(database) == {made[-1].alert}
        await closed(database, made[-1].alert, "last")
        await agree(database)
        await retention.look()
        for name, content in bytes_of(tmp_path):
            assert found_in(content, SECRETS) == set(), name

    run(str(tmp_path / "desk.db"), body)


def test_an_open_alert_outlives_the_shredding_word_for_word(tmp_path: Path) -> None:
    async def body(database: Record) -> None:
        made = await crowd(database)
        async with database.transaction() as transaction:
            before = await care.told(transaction, made[-1].alert)
        later = NOW + 31 * DAY_S
        await Retention(database, keep_days=730.0, now=lambda: later).look()
        async with database.transaction() as transaction:
            assert await care.told(transaction, made[-1].alert) == before != {}

    run(str(tmp_path / "desk.db"), body)


def test_a_gateway_finds_no_door_of_anothers_by_a_name_in_a_place(where: str) -> None:
    """Who is called is told the door of the alert that the record has under the incident, and of no other."""

    async def body(database: Record) -> None:
        victim = arrival(1)
        await taken(database, victim)
        place = msgspec.structs.replace(PLACE, compound=f"x|home:{victim.alert}#1")
        forged = desk_parts.arrival(2, gateway="other-01", kind="door.held", place=place)
        await taken(database, forged)
        async with database.transaction() as transaction:
            rows = await transaction.fetch("SELECT incident FROM work WHERE alert = $1", forged.alert)
            incident = rows[0]["incident"]
            told = await care.where(transaction, {incident: home_of(incident) or ""})
        assert told == {}

    run(where, body)


def of_before(path: Path) -> None:
    """Make a record of the release before, with a resident's alert in it as that one kept it."""
    folder = Path(store.__file__).parent / "sqlite"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as old:
        for number in (1, 2):
            old.executescript((folder / f"{number:03d}.sql").read_text(encoding="utf-8"))
        old.execute("PRAGMA user_version=2")
        body = msgspec.json.encode({"data": {"device": DEVICE, "note": REMARK}}).decode()
        where = msgspec.json.encode(PLACE).decode()
        for kind, name in (("care.fall", "g/1"), ("door.held", "g/2")):
            old.execute(
                "INSERT INTO alerts VALUES (?, 'g', 1, 1, ?, 3, 'raised', 'active', ?, 0, 0, 1, ?, ?, ?, ?)",
                (name, kind, where, CODE, CODE, body, DEVICE),
            )
            old.execute(
                "INSERT INTO events VALUES ('g', 1, ?, NULL, ?, 'raised', 0, 0, ?)", (name[-1], name, body)
            )
            old.execute(
                "INSERT INTO work (alert, incident, opened_at, state, version, note) VALUES (?, ?, 0, 'raised', 1, ?)",
                (name, name, REMARK),
            )


def test_a_record_of_the_release_before_is_masked_as_it_is_opened_and_who_is_called_finds_the_door(
    tmp_path: Path,
) -> None:
    of_before(tmp_path / "desk.db")

    async def body(database: Record) -> None:
        async with database.transaction() as transaction:
            rows = {row["alert"]: row for row in await transaction.fetch("SELECT * FROM alerts")}
            notes = {row["alert"]: row["note"] for row in await transaction.fetch("SELECT * FROM work")}
            bodies = {row["alert"]: row["body"] for row in await transaction.fetch("SELECT * FROM events")}
            doors = await care.doors(transaction, ["g/1", "g/2"])
            told = await care.told(transaction, "g/1")
        hidden = (rows["g/1"]["zh"], rows["g/1"]["body"], rows["g/1"]["device"], notes["g/1"], bodies["g/1"])
        assert found_in(str(hidden).encode()) == set()
        assert (rows["g/2"]["zh"], notes["g/2"]) == (CODE, REMARK)
        assert rows["g/1"]["zh"] == "2 栋 1 单元 有人需要看望"
        assert rows["g/1"]["en"] == "Somebody may need help, building 2, unit 1"
        assert (list(doors), doors["g/1"].where.zh) == (["g/1"], CODE)
        assert DEVICE in told["event 1.1"]

    run(str(tmp_path / "desk.db"), body)


def test_the_consent_of_the_sample_passes_the_check_once_its_marks_are_taken_off() -> None:
    sample = (Path(__file__).parents[3] / "systemd" / "desk.toml").read_text(encoding="utf-8")
    block = sample[sample.index("# [[resident]]") :].split("\n\n")[0]
    text = sample + "\n" + "\n".join(line.removeprefix("# ") for line in block.splitlines())
    read = reading.parse(text)
    assert [
        str(fault) for fault in (*read.faults, *checking.check(read)) if fault.key.startswith("resident")
    ] == []
    (consent,) = given(read.residents.values())
    assert (consent.code, consent.keep_days, consent.shown) == ("2-1-301", 14, "unit")


def test_a_desk_that_starts_anew_without_a_residents_table_shows_nothing_more_of_them(tmp_path: Path) -> None:
    """So does one that is told to read its file again: SIGHUP begins a new life."""
    file = FILE[: FILE.index('[[channel]]\nname = "bot"')] + FILE[FILE.index("[[person]]") :]
    file = file.replace('["bot", "@all"], ', "").replace(
        'name = "street"', f'name = "street"\nstore = "{tmp_path}/desk.db"'
    )

    async def life(text: str) -> set[str]:
        config = reading.parse(text).config()
        assert config is not None
        async with (
            service.opened(config, Notifier()) as (desk, _),
            desk.database.transaction() as transaction,
        ):
            return {code for _, code in await care.consents(transaction)}

    assert asyncio.run(life(file)) == {"2-1-301"}
    assert asyncio.run(life(file[: file.index("[[resident]]")])) == set()

"""Advice says of each fault what is wrong and what to do, the worst first, and of a good box nothing."""

import copy
import dataclasses
import tomllib
from collections.abc import Callable
from importlib import resources
from typing import Any

import msgspec
import pytest

from drivers.figures import DeviceStatistics, LineStatistics
from gateway.core import health, payload
from gateway.core.advice import MOST, advice
from gateway.core.board import Measured
from gateway.core.events import Clock
from gateway.runtime.journal.contract import JournalStatistics
from gateway.runtime.supervisor import ServiceState
from gateway.services.last_resort import LastResortStatistics
from gateway.services.remote.service import RemoteStatistics
from gateway.services.uplink import UplinkStatistics
from gateway.vision.service import CameraStatistics
from gateway.vision.store import StoreStatistics

WORDS = tomllib.loads(resources.files("gateway.core").joinpath("advice.toml").read_text(encoding="utf-8"))
GOOD_DEVICE = DeviceStatistics(
    device="smoke-1", address=1, online=True, last_good_at=99.0, round_trip_p50_s=0.02, round_trip_p99_s=0.03,
    timeout_s=0.05, polls=10_000, good=9_990, timeouts=10, crc_errors=0, retries=10, late=0, exceptions=0,
    suspect_duplicate=False, broken_lately=0.01,
)  # fmt: skip
GOOD_CAMERA = CameraStatistics(
    camera="north", up=True, picture="fine", reason="", frames=9, fps=25.0, slow=False, dropped=0, decode_errors=0,
    lag_s=0.1, rss_bytes=1, falls=0, suppressed=0, starts=1, killed={}, evidence_missing=0,
)  # fmt: skip
GOOD_UPLINK = UplinkStatistics(
    connected=True, broker="mqtts://b", protocol="5", confirm="desk", window=100, flying=0, waiting=0, confirmed=7,
    states_confirmed=9, resent=0, refused=0, thinned=0, receipts_ignored=0, evidence_parts=0, evidence_refused=0,
    connections=1, last_confirmed_at=98.0, trouble="", note="", certificate_until=61 * 86_400.0,
)  # fmt: skip
GOOD_JOURNAL = JournalStatistics(
    epoch=1, rows=10, bytes=4096, commits=3, last_commit_s=0.002, failing=None, held=0, thinned=0, damaged=0,
    reserve=True, depth={"uplink.urgent/urgent": 0},
)  # fmt: skip
GOOD_MACHINE = Measured(
    temperature_c=48.0, undervoltage=False, undervoltage_since_boot=False, throttled=False, rtc=True,
    disk_bytes=32 * 10**9, disk_free_bytes=20 * 10**9, inodes=10**6, inodes_free=9 * 10**5, memory_bytes=10**9,
    memory_available_bytes=6 * 10**8, rss_bytes=10**8, descriptors=40, descriptors_max=1024, card="mmcblk0",
    card_life_used=0.1, card_written_bytes=10**9, written_bytes=10**6,
)  # fmt: skip


def good() -> dict[str, Any]:
    """Return the document of a gateway that lacks nothing, made of the very statistics its parts tell."""
    return health.document(
        health.Identity("hxtp-01", "", "0.1.0", "boot", 1, 0.0),
        clock=Clock.SYNCED,
        uptime_s=1.0,
        faults=0,
        buses=[LineStatistics("riser-a", True, 0.5, 10, 0, 0, None, (GOOD_DEVICE,))],
        cameras=[GOOD_CAMERA],
        evidence=StoreStatistics(pieces=1, bytes=1, quota_bytes=9, removed=0, unsent=0, trouble=""),
        access={"entries": 1, "ready": True},
        orders=RemoteStatistics(orders=1, repeated=0, refused=0, under_way=0),
        board={**dataclasses.asdict(GOOD_MACHINE), "card_years": 40.0, "card_written_bytes_per_day": 1e8},
        uplink=GOOD_UPLINK,
        last_resort=LastResortStatistics(silent=False, waiting=0, told=0, failed=0, lines={"ntfy-1": ""}),
        fire_centres=[{"name": "district", "connected": True, "trouble": "", "last_confirmed_at": 99.0}],
        journal=GOOD_JOURNAL,
        alerts=[],
        services={"uplink": ServiceState(running=True)},
        now=100.0,
    )


def set_(*path: Any) -> Callable[[dict[str, Any]], None]:
    """Return what sets a value deep in a document: keys and indexes, then the value."""
    *keys, last, value = path

    def cause(document: dict[str, Any]) -> None:
        at: Any = document
        for key in keys:
            at = at[key]
        assert last in at or isinstance(last, int) or last == "certificate_days", (
            f"the document has no {path}"
        )
        at[last] = value

    return cause


def all_of(*causes: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    def cause(document: dict[str, Any]) -> None:
        for each in causes:
            each(document)

    return cause


DEVICE = ("buses", 0, "devices", 0)
FAULTS: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "line.down": (set_("buses", 0, "up", False), "riser-a"),
    "line.crowded": (set_("buses", 0, "wanted", 3.52), "3.5 times"),
    "line.busy": (set_("buses", 0, "utilisation", 0.97), "97%"),
    "line.poor": (set_(*DEVICE, "broken_lately", 0.09), "9%"),
    "device.silent": (set_(*DEVICE, "online", False), "smoke-1"),
    "device.twice": (set_(*DEVICE, "suspect_duplicate", True), "smoke-1"),
    "camera.away": (all_of(set_("cameras", 0, "up", False), set_("cameras", 0, "reason", "401")), "401"),
    "camera.frozen": (set_("cameras", 0, "picture", "frozen"), "north"),
    "camera.covered": (set_("cameras", 0, "picture", "covered"), "north"),
    "camera.moved": (set_("cameras", 0, "picture", "moved"), "compound-gateway camera north"),
    "camera.slow": (set_("cameras", 0, "slow", True), "of camera north"),
    "camera.defocused": (set_("cameras", 0, "picture", "defocused"), "north"),
    "evidence.trouble": (set_("evidence", "trouble", "Read-only file system"), "Read-only"),
    "access.not_ready": (set_("access", "ready", False), "denied"),
    "orders.refused": (set_("orders", "refused", 3), "3 orders"),
    "uplink.away": (all_of(set_("uplink", "connected", False), set_("uplink", "trouble", "no route")), "no route"),
    "uplink.refused": (set_("uplink", "trouble", "Not authorized (0x87)"), "0x87"),
    "uplink.slow": (set_("journal", "depth", {"uplink.urgent/urgent": 101}), "101 wait"),
    "desk.silent": (set_("last_resort", "silent", True), "does not answer"),
    "desk.no_last_resort": (set_("last_resort", "lines", {}), "another way"),
    "centre.away": (set_("fire_centres", 0, {"name": "district", "connected": False, "trouble": "gone"}), "gone"),
    "centre.refused": (set_("fire_centres", 0, "trouble", "answers from address 7"), "address 7"),
    "uplink.old": (set_("uplink", "protocol", "3.1.1"), "3.1.1"),
    "uplink.certificate": (set_("uplink", "certificate_days", 6.5), "6 days"),
    "journal.failing": (all_of(set_("journal", "failing", "EIO"), set_("journal", "held", 4)), "4 alerts"),
    "journal.lost": (set_("journal", "lost", {"reading": 2, "alert": 1}), "3 records"),
    "journal.damaged": (set_("journal", "damaged", 2), "2 rows"),
    "journal.thinned": (set_("journal", "thinned", 5), "5 readings"),
    "journal.no_reserve": (set_("journal", "reserve", False), "reserve"),
    "service.down": (set_("services", "uplink", {"running": False, "restarts": 4, "last_fault": "OSError"}), "OSError"),
    "service.restarted": (set_("services", "uplink", "restarts", 2), "2 times"),
    "gateway.faults": (set_("gateway", "faults", 2), "2 events"),
    "clock.unset": (set_("gateway", "clock", "unsynced"), "times may be wrong"),
    "clock.no_rtc": (set_("board", "rtc", False), "hardware clock"),
    "board.hot": (set_("board", "temperature_c", 84.6), "85 °C"),
    "board.undervoltage": (set_("board", "undervoltage", True), "voltage"),
    "board.undervoltage_once": (set_("board", "undervoltage_since_boot", True), "voltage"),
    "board.throttled": (set_("board", "throttled", True), "slowed"),
    "board.disk_low": (set_("board", "disk_free_bytes", 300_000_000), "300 MB"),
    "board.inodes_low": (set_("board", "inodes_free", 10_000), "1%"),
    "board.memory_low": (set_("board", "memory_available_bytes", 20_000_000), "20 MB"),
    "board.descriptors_low": (set_("board", "descriptors", 1_000), "1000 of 1024"),
    "board.update_taken_back": (set_("board", "update_taken_back", "0.2.0: it is down"), "0.2.0: it is down"),
    "board.card_worn": (set_("board", "card_life_used", 0.9), "90%"),
    "board.card_short": (set_("board", "card_years", 0.4), "100 MB a day"),
}  # fmt: skip


def test_of_a_gateway_that_lacks_nothing_nothing_is_said() -> None:
    assert good()["advice"] == []


def test_every_advice_in_the_file_has_a_fault_that_brings_it() -> None:
    assert set(FAULTS) == set(WORDS)


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_brings_its_advice_and_no_other(what: str) -> None:
    cause, fact = FAULTS[what]
    document = copy.deepcopy(good())
    cause(document)
    (told,) = advice(document)
    assert told.what == what
    assert fact in f"{told.en} {told.do_en}"
    assert "{" not in told.zh + told.en + told.do_zh + told.do_en


@pytest.mark.parametrize("what", WORDS)
def test_it_is_said_in_both_languages_with_what_to_do(what: str) -> None:
    words = WORDS[what]
    assert all(words[key].strip() for key in ("zh", "en", "do_zh", "do_en"))
    assert any("一" <= each <= "鿿" for each in words["zh"] + words["do_zh"])
    assert not any("一" <= each <= "鿿" for each in words["en"] + words["do_en"])


def test_the_worst_stands_first_and_no_more_than_a_person_reads() -> None:
    document = copy.deepcopy(good())
    for cause, _ in FAULTS.values():
        cause(document)
    told = advice(document)
    order = ["critical", "major", "minor", "info"]
    ranks = [order.index(each.severity.value) for each in told]
    assert ranks == sorted(ranks)
    assert told[0].what == "journal.failing"
    assert len(told) == MOST


def test_many_silent_devices_are_one_sentence() -> None:
    devices = tuple(dataclasses.replace(GOOD_DEVICE, device=f"smoke-{n}", online=False) for n in range(30))
    document = {
        "buses": [{"line": "riser-a", "up": True, "devices": [dataclasses.asdict(each) for each in devices]}]
    }
    (told,) = advice(document)
    assert (
        told.en
        == "No answer on line riser-a from smoke-0, smoke-1, smoke-2, smoke-3, smoke-4 +25 (30 in all)"
    )


def test_a_device_that_was_not_asked_yet_is_not_called_silent() -> None:
    waiting = dataclasses.replace(GOOD_DEVICE, online=False, polls=0, good=0)
    line = {"line": "riser-a", "up": True, "devices": [dataclasses.asdict(waiting)]}
    assert advice({"buses": [line]}) == []


@pytest.mark.parametrize(
    "document", [{}, {"buses": None, "uplink": None, "board": {}}, {"journal": {}, "truncated": ["buses"]}]
)
def test_a_document_that_lost_its_parts_is_no_trouble(document: dict[str, Any]) -> None:
    assert advice(document) == []


def test_it_reads_the_published_document_as_well_as_our_own() -> None:
    document = copy.deepcopy(good())
    FAULTS["journal.failing"][0](document)
    published = msgspec.json.decode(payload.health(document))
    assert [each.what for each in advice(published)] == ["journal.failing"]

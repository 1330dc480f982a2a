"""Advice: from the health document to what is wrong in words and what to do, the worst first. Pure.

The words stand in advice.toml; here is only what is looked for. The document is read as it is published, so that a
desk or a tool can be given the advice for a gateway it only hears of; a part that is missing is no trouble. At most
`MOST` are told: somebody with thirty troubles has one, and it stands at the top.
"""

import functools
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import resources
from typing import Any, Final

import msgspec

from gateway.core import board
from gateway.core.events import Severity

MOST: Final = 20
NAMES: Final = 5  # of devices in one sentence
BUSY, CROWDED, POOR = 0.9, 1.1, 0.05
SLOW_ROWS: Final = 100
LOW_MEMORY, MANY_DESCRIPTORS = 0.05, 0.85
CERTIFICATE_DAYS: Final = 30

Document = Mapping[str, Any]
Found = tuple[str, dict[str, Any]]


class Advice(msgspec.Struct, frozen=True):
    """One thing that is wrong, and what to do. `what` names it in advice.toml."""

    what: str
    severity: Severity
    zh: str
    en: str
    do_zh: str
    do_en: str


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    severity: Severity
    zh: str
    en: str
    do_zh: str
    do_en: str


def advice(document: Document) -> list[Advice]:
    """Return what is wrong by this health document, the worst first."""
    words = _words()
    order = list(Severity)
    told = [_told(words[what], what, fields) for look in LOOKS for what, fields in look(document)]
    return sorted(told, key=lambda each: order.index(each.severity))[:MOST]


@functools.cache
def _words() -> dict[str, _Words]:
    """Return the words of this release. The file is part of the code: it is read as an import is."""
    text = resources.files("gateway.core").joinpath("advice.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, _Words])


def _told(words: _Words, what: str, fields: Mapping[str, Any]) -> Advice:
    texts = (each.format_map(fields) for each in (words.zh, words.en, words.do_zh, words.do_en))
    return Advice(what, words.severity, *texts)


def _lines(document: Document) -> Iterator[Found]:
    for line in _each(document, "buses"):
        name, devices = line.get("line", "?"), line.get("devices") or ()
        if not line.get("up"):
            yield "line.down", {"name": name, "n": len(devices)}
            continue
        asked = [device for device in devices if device.get("polls") != 0]  # at first nobody was
        silent = [device["device"] for device in asked if not device.get("online")]
        twice = [device["device"] for device in devices if device.get("suspect_duplicate")]
        if silent:
            yield "device.silent", {"name": name, "n": len(silent), "devices": _names(silent)}
        if twice:
            yield "device.twice", {"name": name, "devices": _names(twice)}
        if (times := line.get("wanted") or 0.0) > CROWDED:
            yield "line.crowded", {"name": name, "times": times}
        elif (share := line.get("utilisation") or 0.0) > BUSY:
            yield "line.busy", {"name": name, "share": share}
        shares = {device["device"]: device.get("broken_lately") or 0.0 for device in devices}
        poor = {device: share for device, share in shares.items() if share > POOR}
        if poor:
            yield "line.poor", {"name": name, "devices": _names(list(poor)), "share": max(poor.values())}


def _cameras(document: Document) -> Iterator[Found]:
    for camera in _each(document, "cameras"):
        name, picture = camera.get("camera", "?"), camera.get("picture", "fine")
        if picture in {"frozen", "covered", "moved", "defocused"}:
            yield f"camera.{picture}", {"name": name}
        elif camera.get("up") is False:
            yield "camera.away", {"name": name, "reason": camera.get("reason") or "?"}
        elif camera.get("slow"):
            yield "camera.slow", {"name": name}
    if trouble := _part(document, "evidence").get("trouble"):
        yield "evidence.trouble", {"reason": trouble}


def _people(document: Document) -> Iterator[Found]:
    if _part(document, "access").get("ready") is False:
        yield "access.not_ready", {}
    if refused := _part(document, "orders").get("refused"):
        yield "orders.refused", {"n": refused}


def _desk(document: Document) -> Iterator[Found]:
    resort = _part(document, "last_resort")
    if resort.get("silent"):
        yield "desk.silent", {"n": resort.get("waiting") or 0, "told": resort.get("told") or 0}
    elif resort and not resort.get("lines"):
        yield "desk.no_last_resort", {}


def _uplink(document: Document) -> Iterator[Found]:
    link = _part(document, "uplink")
    if not link:
        return
    waiting = sum(count for sink, count in _depth(document).items() if sink.startswith("uplink.urgent"))
    if not link.get("connected"):
        yield "uplink.away", {"n": waiting, "reason": link.get("trouble") or "?"}
    elif link.get("trouble"):
        yield "uplink.refused", {"reason": link["trouble"]}
    elif waiting > SLOW_ROWS:
        yield "uplink.slow", {"n": waiting}
    if link.get("protocol") == "3.1.1":
        yield "uplink.old", {}
    days = link.get("certificate_days")
    if days is not None and days < CERTIFICATE_DAYS:
        yield "uplink.certificate", {"days": max(int(days), 0)}


def _centres(document: Document) -> Iterator[Found]:
    for centre in _each(document, "fire_centres"):
        fields = {"name": centre.get("name", "?"), "reason": centre.get("trouble") or "?"}
        if not centre.get("connected"):
            yield "centre.away", fields
        elif centre.get("trouble"):
            yield "centre.refused", fields


def _journal(document: Document) -> Iterator[Found]:
    book = _part(document, "journal")
    if book.get("failing"):
        yield "journal.failing", {"reason": book["failing"], "n": book.get("held") or 0}
    lost = sum((book.get("lost") or {}).values())
    for key, count in (("lost", lost), ("damaged", book.get("damaged")), ("thinned", book.get("thinned"))):
        if count:
            yield f"journal.{key}", {"n": count}
    if book.get("reserve") is False:
        yield "journal.no_reserve", {}


def _program(document: Document) -> Iterator[Found]:
    for name, service in _part(document, "services").items():
        fields = {"name": name, "n": service.get("restarts"), "reason": service.get("last_fault") or "?"}
        if service.get("running") is False:
            yield "service.down", fields
        elif service.get("restarts"):
            yield "service.restarted", fields
    if faults := _part(document, "gateway").get("faults"):
        yield "gateway.faults", {"n": faults}


def _clock(document: Document) -> Iterator[Found]:
    if _part(document, "gateway").get("clock") == "unsynced":
        yield "clock.unset", {}
    if _part(document, "board").get("rtc") is False:
        yield "clock.no_rtc", {}


def _board(document: Document) -> Iterator[Found]:
    seen = _part(document, "board")
    if (temperature := seen.get("temperature_c") or 0.0) >= board.HOT_C:
        yield "board.hot", {"temperature": temperature}
    if seen.get("undervoltage"):
        yield "board.undervoltage", {}
    elif seen.get("undervoltage_since_boot"):
        yield "board.undervoltage_once", {}
    if seen.get("throttled"):
        yield "board.throttled", {}
    free = seen.get("disk_free_bytes")
    if (
        free is not None
        and free < board.LOW_BYTES
        and _share(seen, "disk_free_bytes", "disk_bytes") < board.LOW_SHARE
    ):
        yield "board.disk_low", {"free_mb": free / 1e6}
    if (share := _share(seen, "inodes_free", "inodes")) < board.LOW_SHARE:
        yield "board.inodes_low", {"share": share}
    if _share(seen, "memory_available_bytes", "memory_bytes") < LOW_MEMORY:
        yield "board.memory_low", {"free_mb": seen["memory_available_bytes"] / 1e6}
    if _share(seen, "descriptors", "descriptors_max", missing=0.0) > MANY_DESCRIPTORS:
        yield "board.descriptors_low", {"n": seen["descriptors"], "most": seen["descriptors_max"]}
    if told := seen.get("update_taken_back"):
        yield "board.update_taken_back", {"told": told}
    yield from _card(seen)


def _card(seen: Mapping[str, Any]) -> Iterator[Found]:
    if (used := seen.get("card_life_used") or 0.0) >= board.WORN_SHARE:
        yield "board.card_worn", {"share": used}
    years = seen.get("card_years")
    if years is not None and years < board.SHORT_YEARS:
        yield (
            "board.card_short",
            {"years": years, "mb": (seen.get("card_written_bytes_per_day") or 0.0) / 1e6},
        )


def _share(seen: Mapping[str, Any], part: str, whole: str, *, missing: float = 1.0) -> float:
    return missing if seen.get(part) is None or not seen.get(whole) else float(seen[part] / seen[whole])


def _each(document: Document, key: str) -> Sequence[Mapping[str, Any]]:
    return document.get(key) or ()


def _part(document: Document, key: str) -> Mapping[str, Any]:
    return document.get(key) or {}


def _depth(document: Document) -> Mapping[str, int]:
    return _part(document, "journal").get("depth") or {}


def _names(names: list[str]) -> str:
    more = f" +{len(names) - NAMES}" if len(names) > NAMES else ""
    return ", ".join(names[:NAMES]) + more


LOOKS: Final[tuple[Callable[[Document], Iterator[Found]], ...]] = (
    _journal, _board, _lines, _uplink, _centres, _desk, _people, _cameras, _program, _clock,
)  # fmt: skip

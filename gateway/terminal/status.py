"""`status`: one screen that says whether the gateway is well."""

import time
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gateway.terminal.document import (
    Advice,
    Camera,
    DeviceLine,
    Evidence,
    FireCentre,
    Journal,
    LastResort,
    Line,
    Machine,
    Status,
    Uplink,
)
from gateway.terminal.figures import (
    BAD,
    FAINT,
    GOOD,
    MARKS,
    SEVERITIES,
    WARN,
    age,
    bar,
    milliseconds,
    size,
)
from gateway.terminal.words import Words


def screen(status: Status, words: Words) -> Group:
    """Return the whole of `status`."""
    parts: list[RenderableType] = [header(status, words), Text()]
    for line in status.buses:
        parts += [line_head(line, words), _devices(line, words), Text()]
    parts.append(facts(status, words))
    if status.advice:
        parts += [Text(), *advice(status.advice, words)]
    return Group(*parts)


def advice(told: Sequence[Advice], words: Words) -> list[Text]:
    """Return what is wrong and what to do, two lines each."""
    lines = [Text(words("status.advice"), "bold")]
    for each in told:
        shape, style = MARKS.get(each.severity, MARKS["info"])
        lines.append(Text(f"{shape} {each.zh if words.language == 'zh' else each.en}", style))
        lines.append(Text(f"  → {each.do_zh if words.language == 'zh' else each.do_en}"))
    return lines


def header(status: Status, words: Words) -> Text:
    """Return the line that says who this is and since when."""
    gateway = status.gateway
    told = Text.assemble(
        (gateway.name or gateway.id, "bold"), ("  " + gateway.id if gateway.name else "", FAINT)
    )
    told.append(f"   {words('status.up', age=age(gateway.uptime_s, words))}")
    told.append(f" · {words('status.version', version=gateway.version)}", FAINT)
    synced = gateway.clock == "synced"
    told.append(" · ").append(
        words(f"status.clock_{'synced' if synced else 'unsynced'}"), GOOD if synced else WARN
    )
    return told


def line_head(line: Line, words: Words) -> Text:
    """Return one line's name, state, load and what was wrong on it."""
    online = sum(device.online for device in line.devices)
    told = Text.assemble(("● " if line.up else "✗ ", GOOD if line.up else BAD), (line.line, "bold"), "  ")
    if not line.up:
        told.append(words("status.line_down"), BAD)
    told.append(
        words("status.online", online=online, all=len(line.devices)),
        GOOD if online == len(line.devices) else WARN,
    )
    told.append("   ").append(bar(line.utilisation), GOOD if line.utilisation < 0.9 else WARN)
    told.append(f" {line.utilisation:.0%} {words('status.busy')}")
    if line.wanted > 1.0:
        told.append(f" · {words('status.wanted', times=line.wanted)}", WARN)
    troubles = [("noise", line.noise_bytes), ("reopened", line.reopened)]
    for key, count in troubles:
        if count:
            told.append(f" · {words(f'status.{key}', n=count)}", WARN)
    if line.echo:
        told.append(f" · {words('status.echo')}", FAINT)
    return told


def facts(status: Status, words: Words) -> Table:
    """Return cameras, uplink, journal and alerts, a row each, and any service that is not well."""
    table = Table.grid(padding=(0, 2))
    for number, each in enumerate(status.cameras):
        heading = "" if number else words("status.cameras")
        table.add_row(Text(heading, "bold"), camera(each, words))
    if status.evidence is not None:
        table.add_row(Text(words("status.evidence"), "bold"), evidence(status.evidence, words))
    table.add_row(Text(words("status.uplink"), "bold"), uplink(status.uplink, words))
    if (resort := status.last_resort) is not None and (resort.silent or resort.lines):
        table.add_row(Text(words("status.last_resort"), "bold"), last_resort(resort, words))
    for number, centre in enumerate(status.fire_centres):
        heading = "" if number else words("status.fire_centre")
        table.add_row(Text(heading, "bold"), fire_centre(centre, words))
    table.add_row(Text(words("status.journal"), "bold"), journal(status.journal, words))
    table.add_row(Text(words("status.machine"), "bold"), machine(status.board, words))
    table.add_row(Text(words("status.alerts"), "bold"), alert_counts(status.alerts, words))
    for name, service in status.services.items():
        if service.restarts or not service.running:
            told = Text(
                words("status.service", name=name, n=service.restarts, fault=service.last_fault), WARN
            )
            table.add_row(Text(words("status.services"), "bold"), told)
    return table


def camera(seen: Camera, words: Words) -> Text:
    """Return how a camera is and what it saw."""
    look = seen.picture if seen.up or seen.picture == "frozen" else "away"
    if seen.up is None:
        look = "unknown"
    good = seen.up is True and look == "fine"
    told = Text("● " if good else "✗ " if seen.up is False else "… ", GOOD if good else WARN)
    told.append(seen.camera, "bold").append(f"  {words(f'status.camera_{look}')}", "" if good else WARN)
    if seen.up:
        told.append(f" · {seen.fps:.1f} fps · {size(seen.rss_bytes)}", FAINT)
    elif seen.reason:
        told.append(f" · {seen.reason}", WARN)
    told.append(f" · {words('status.falls', n=seen.falls)}")
    troubles = {
        "frames_dropped": seen.dropped,
        "decode_errors": seen.decode_errors,
        "camera_restarts": seen.starts - 1,
        "suppressed": seen.suppressed,
    }
    for key, count in troubles.items():
        if count > 0:
            told.append(f" · {words(f'status.{key}', n=count)}", WARN)
    return told


def evidence(store: Evidence, words: Words) -> Text:
    """Return how much evidence there is and what had to go."""
    sizes = {"size": size(store.bytes), "quota": size(store.quota_bytes)}
    told = Text("● ", WARN if store.trouble else GOOD)
    told.append(words("status.evidence_pieces", n=store.pieces, **sizes), "")
    if store.removed:
        told.append(f" · {words('status.evidence_removed', n=store.removed)}", FAINT)
    if store.trouble:
        told.append(f" · {store.trouble}", WARN)
    return told


def uplink(link: Uplink | None, words: Words) -> Text:
    """Return the state of the link upstream."""
    if link is None:
        return Text(words("status.no_uplink"), FAINT)
    told = Text("● " if link.connected else "✗ ", GOOD if link.connected else BAD)
    told.append(link.broker or words("status.no_broker"), "" if link.connected else BAD)
    if link.connected and link.protocol:
        told.append(f" · MQTT {link.protocol}", FAINT)
    told.append(f" · {words('status.confirmed', n=link.confirmed)}")
    if link.last_confirmed_at is not None:
        ago = age(time.monotonic() - link.last_confirmed_at, words)
        told.append(f" ({words('age.ago', age=ago)})", FAINT)
    for key, count in (("resent", link.resent), ("refused", link.refused)):
        if count:
            told.append(f" · {words(f'status.{key}', n=count)}", WARN)
    for remark in (link.trouble if not link.connected else "", link.note):
        if remark:
            told.append(f" · {remark}", WARN)
    return told


def last_resort(resort: LastResort, words: Words) -> Text:
    """Return whether the desk answers, and what the gateway told people itself."""
    told = Text("✗ " if resort.silent else "● ", BAD if resort.silent else GOOD)
    told.append(
        words(f"status.desk_{'silent' if resort.silent else 'answers'}"), BAD if resort.silent else ""
    )
    for key, count, style in (("told", resort.told, FAINT), ("not_told", resort.failed, WARN)):
        if count:
            told.append(f" · {words(f'status.{key}', n=count)}", style)
    return told


def fire_centre(centre: FireCentre, words: Words) -> Text:
    """Return whether a fire centre hears us."""
    told = Text("● " if centre.connected else "✗ ", GOOD if centre.connected else BAD)
    told.append(centre.name, "bold").append(f" {centre.at}", FAINT)
    if not centre.connected:
        told.append(f" · {words('status.centre_away')}", BAD)
    told.append(f" · {words('status.confirmed', n=centre.confirmed)}")
    if centre.last_confirmed_ago_s is not None:
        told.append(f" ({words('age.ago', age=age(centre.last_confirmed_ago_s, words))})", FAINT)
    if centre.analogs:
        told.append(f" · {words('status.analogs', n=centre.analogs)}", FAINT)
    for key, count in (("resent", centre.resent), ("refused", centre.refused), ("ignored", centre.ignored)):
        if count:
            told.append(f" · {words(f'status.{key}', n=count)}", WARN)
    if centre.trouble:
        told.append(f" · {centre.trouble}", WARN)
    return told


def journal(book: Journal, words: Words) -> Text:
    """Return the state of the journal."""
    if book.failing:
        return Text(f"✗ {words('status.failing', reason=book.failing, n=book.held)}", BAD)
    told = Text("● ", GOOD).append(words("status.rows", n=book.rows, size=size(book.bytes)), "")
    told.append(f" · {words('status.commit', ms=milliseconds(book.last_commit_s))}", FAINT)
    waiting = sum(book.depth.values())
    told.append(f" · {words('status.waiting', n=waiting)}", WARN if waiting > 100 else "")
    for key, count in (
        ("lost", sum(book.lost.values())),
        ("damaged", book.damaged),
        ("thinned", book.thinned),
    ):
        if count:
            told.append(f" · {words(f'status.{key}', n=count)}", BAD)
    return told


def machine(board: Machine, words: Words) -> Text:
    """Return how the machine itself is, as far as it tells."""
    facts = []
    if board.temperature_c is not None:
        facts.append(f"{board.temperature_c:.0f} °C")
    for key, count in (("disk_free", board.disk_free_bytes), ("memory_free", board.memory_available_bytes)):
        if count is not None:
            facts.append(words(f"status.{key}", size=size(count)))
    for key, rate in (
        ("written", board.written_bytes_per_day),
        ("card_written", board.card_written_bytes_per_day),
    ):
        if rate is not None:
            facts.append(words(f"status.{key}", size=size(rate)))
    if board.card_life_used is not None:
        facts.append(words("status.card_used", share=board.card_life_used))
    if board.card_years is not None:
        facts.append(words("status.card_years", years=min(board.card_years, 99.0)))
    return Text(" · ".join(facts) or "–", "" if facts else FAINT)


def alert_counts(counts: dict[str, int], words: Words) -> Text:
    """Return how many alerts there are of each severity."""
    if not any(counts.values()):
        return Text("● ", GOOD).append(words("status.no_alerts"), "")
    parts = [
        Text(f"{MARKS[severity][0]} {counts[severity]} {words(f'severity.{severity}')}", MARKS[severity][1])
        for severity in SEVERITIES
        if counts.get(severity)
    ]
    return Text("   ").join(parts)


def _devices(line: Line, words: Words) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=FAINT)
    for key in ("device", "address", "state", "last", "p50", "p99", "timeouts", "crc", "retries"):
        right = key not in {"device", "state"}
        heading = "  " * (key == "device") + words(f"column.{key}")
        table.add_column(heading, justify="right" if right else "left", no_wrap=True)
    for device in line.devices:
        table.add_row(*_device_row(device, words))
    return table


def _device_row(device: DeviceLine, words: Words) -> list[Text]:
    state = Text("● " if device.online else "✗ ", GOOD if device.online else BAD)
    state.append(words("status.device_online" if device.online else "status.device_offline"), "")
    if device.suspect_duplicate:
        state.append(f" {words('status.duplicate')}", BAD)
    last = age(device.last_good_ago_s, words)
    troubles = [device.timeouts, device.crc_errors, device.retries]
    return [
        Text(f"  {device.device}"),
        Text(str(device.address)),
        state,
        Text(last, "" if device.online else WARN),
        Text(milliseconds(device.round_trip_p50_s)),
        Text(milliseconds(device.round_trip_p99_s)),
        *(Text(str(count), WARN if count else FAINT) for count in troubles),
    ]

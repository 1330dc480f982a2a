"""Measures: the health document as families of figures, named after Prometheus' conventions. Pure.

Everything comes from the document that `status` shows, so that nothing is counted a second time and the two can
never differ. Names are `compound_gateway_<part>_<what>_<unit>`; what only grows ends in `_total`; base units only.
A value the document does not have gives no sample, never a zero.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from gateway.core.board import DAY_S, YEAR_D

Document: TypeAlias = Mapping[str, Any]
Row: TypeAlias = Mapping[str, Any]
Kind: TypeAlias = Literal["gauge", "counter"]

PREFIX: Final = "compound_gateway_"
DOOR_STATES: Final = ("locked", "unlocked", "open", "held", "forced", "unknown")
SEVERITIES: Final = ("critical", "major", "minor", "info")


@dataclass(frozen=True, slots=True)
class Family:
    """One family: a name with its samples, each the values of `labels` and the figure."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...]
    samples: tuple[tuple[tuple[str, ...], float], ...]


@dataclass(frozen=True, slots=True)
class Column:
    """What one key of a part of the document becomes. `name` is without prefix and without `_total`.

    `scale` makes a base unit of what people read in another.
    """

    key: str
    name: str
    help: str
    kind: Kind = "gauge"
    scale: float = 1.0


def _counter(key: str, name: str, told: str) -> Column:
    return Column(key, name, told, "counter")


GATEWAY: Final = (
    Column("started", "start_time_seconds", "Start of the gateway since 1970."),
    Column("uptime_s", "uptime_seconds", "How long it has been up, by a clock that nobody sets."),
    _counter("faults", "event_faults", "Events that a part of the program failed on."),
)
BUS: Final = (
    Column("up", "bus_up", "Whether the line is open."),
    Column("utilisation", "bus_utilisation_ratio", "Share of the last minute in which the wire was busy."),
    Column(
        "wanted",
        "bus_wanted_ratio",
        "Time that its polls ask for, of the time there is: above 1 they are late.",
    ),
    _counter("polls", "bus_polls", "Questions asked on the line."),
    _counter("noise_bytes", "bus_noise_bytes", "Bytes that made no frame."),
    _counter("reopened", "bus_reopened", "Times the port was opened again."),
)
DEVICE: Final = (
    Column("online", "device_up", "Whether the device answers."),
    Column("last_good_ago_s", "device_last_good_age_seconds", "Age of its last good answer."),
    Column("round_trip_p50_s", "device_round_trip_median_seconds", "Median of its round trips."),
    Column("round_trip_p99_s", "device_round_trip_p99_seconds", "99th percentile of its round trips."),
    _counter("polls", "device_polls", "Questions asked."),
    _counter("timeouts", "device_timeouts", "Questions without an answer."),
    _counter("crc_errors", "device_crc_errors", "Answers that came broken."),
    _counter("retries", "device_retries", "Questions asked again."),
    _counter("late", "device_late_answers", "Answers that came too late."),
    _counter("exceptions", "device_exceptions", "Answers in which the device said no."),
)
CAMERA: Final = (
    Column("up", "camera_up", "Whether pictures come."),
    Column("fps", "camera_frames_per_second", "Pictures a second."),
    Column("lag_s", "camera_lag_seconds", "How far behind the camera it looks."),
    Column("rss_bytes", "camera_resident_memory_bytes", "Memory of the camera's process."),
    _counter("frames", "camera_frames", "Pictures looked at by its present process."),
    _counter("dropped", "camera_frames_dropped", "Pictures not looked at."),
    _counter("decode_errors", "camera_decode_errors", "Pictures that could not be decoded."),
    _counter("falls", "camera_falls", "Falling objects told."),
    _counter("suppressed", "camera_falls_suppressed", "Falling objects that were too many to tell."),
    _counter("starts", "camera_starts", "Starts of its process."),
)
EVIDENCE: Final = (
    Column("pieces", "evidence_pieces", "Stills and clips kept."),
    Column("bytes", "evidence_size_bytes", "Room they take."),
    Column("quota_bytes", "evidence_quota_bytes", "Room they may take."),
    _counter("removed", "evidence_removed", "Pieces that had to go."),
)
INTERLOCK: Final = (Column("engaged", "interlock_engaged", "Whether the interlock holds its doors open."),)
ACCESS: Final = (
    Column("ready", "access_ready", "Whether the access list is in force."),
    Column("entries", "access_entries", "Cards and PINs in the list."),
)
ORDERS: Final = (
    _counter("orders", "orders", "Signed orders carried out or tried."),
    _counter("repeated", "orders_repeated", "Orders that came a second time."),
    _counter("refused", "orders_refused", "Orders that were refused."),
)
UPLINK: Final = (
    Column("connected", "uplink_connected", "Whether a broker is connected."),
    Column("flying", "uplink_messages_in_flight", "Messages not acknowledged yet."),
    Column("waiting", "uplink_rows_unconfirmed", "Urgent rows sent and not confirmed."),
    Column(
        "certificate_days", "uplink_certificate_left_seconds", "Time until our certificate ends.", scale=DAY_S
    ),
    _counter("confirmed", "uplink_rows_confirmed", "Urgent rows confirmed."),
    _counter("states_confirmed", "uplink_states_confirmed", "Device states confirmed."),
    _counter("resent", "uplink_rows_resent", "Urgent rows sent again."),
    _counter("refused", "uplink_refusals", "Messages the broker refused."),
    _counter("connections", "uplink_connections", "Connections made."),
)
JOURNAL: Final = (
    Column("rows", "journal_rows", "Rows in the journal."),
    Column("bytes", "journal_size_bytes", "Size of its file."),
    Column("last_commit_s", "journal_last_commit_seconds", "How long the last commit took."),
    Column("held", "journal_events_held", "Urgent events in memory, not durable yet."),
    _counter("commits", "journal_commits", "Commits."),
    _counter("thinned", "journal_readings_thinned", "Readings dropped while the disk refused."),
    _counter("damaged", "journal_rows_damaged", "Rows whose checksum is wrong."),
)
SERVICE: Final = (
    Column("running", "service_running", "Whether the service runs."),
    _counter("restarts", "service_restarts", "Times it was started again."),
)
BOARD: Final = (
    Column("temperature_c", "board_temperature_celsius", "Temperature of the processor."),
    Column("undervoltage", "board_undervoltage", "Whether the voltage is too low now."),
    Column("throttled", "board_throttled", "Whether the processor is slowed down now."),
    Column("disk_bytes", "board_disk_size_bytes", "Size of the disk with the journal."),
    Column("disk_free_bytes", "board_disk_free_bytes", "Room left on it."),
    Column("inodes", "board_inodes", "Names for files on it."),
    Column("inodes_free", "board_inodes_free", "Names for files left on it."),
    Column("memory_bytes", "board_memory_size_bytes", "Memory of the machine."),
    Column("memory_available_bytes", "board_memory_available_bytes", "Memory that programs can still have."),
    Column("card_life_used", "board_card_life_used_ratio", "Share of its life the card says is used."),
    Column(
        "card_years",
        "board_card_expected_seconds",
        "How long a new card lasts at this rate.",
        scale=YEAR_D * DAY_S,
    ),
    _counter("card_written_bytes", "board_card_written_bytes", "Bytes written to the card since boot."),
    Column("rss_bytes", "resident_memory_bytes", "Memory of the gateway's process."),
    Column("descriptors", "open_descriptors", "Files and sockets the process has open."),
    Column("descriptors_max", "max_descriptors", "How many it may have."),
    _counter("written_bytes", "written_bytes", "Bytes the process wrote to the disk."),
)


def families(document: Document) -> list[Family]:
    """Return every figure of a health document."""
    told: list[Family] = [*_identity(document), *_table(GATEWAY, _one(document, "gateway"), ())]
    buses = [((str(line["line"]),), line) for line in document.get("buses") or ()]
    devices = [((*name, str(device["device"])), device) for name, line in buses for device in line["devices"]]
    told += _table(BUS, buses, ("bus",)) + _table(DEVICE, devices, ("bus", "device"))
    told += _table(CAMERA, _named(document, "cameras", "camera"), ("camera",))
    told += _table(INTERLOCK, _named(document, "interlocks", "interlock"), ("interlock",))
    services = [((name,), state) for name, state in (document.get("services") or {}).items()]
    told += _table(SERVICE, services, ("service",))
    for part, columns in PARTS.items():
        told += _table(columns, _one(document, part), ())
    return [family for family in [*told, *_counted(document)] if family.samples]


PARTS: Final[Mapping[str, tuple[Column, ...]]] = {
    "evidence": EVIDENCE,
    "access": ACCESS,
    "orders": ORDERS,
    "uplink": UPLINK,
    "journal": JOURNAL,
    "board": BOARD,
}


def _identity(document: Document) -> Iterator[Family]:
    gateway = document.get("gateway") or {}
    labels = ("gateway", "version", "boot")
    values = tuple(str(gateway.get(key, "")) for key in ("id", "version", "boot"))
    yield Family(f"{PREFIX}info", "gauge", "Who this gateway is; always 1.", labels, ((values, 1.0),))
    synced = float(gateway.get("clock") == "synced")
    yield Family(f"{PREFIX}clock_synced", "gauge", "Whether somebody sets the clock.", (), (((), synced),))


def _counted(document: Document) -> Iterator[Family]:
    """Yield what is counted by something: alerts, advice, rows lost and waiting, doors by state."""
    journal, alerts = document.get("journal") or {}, document.get("alerts") or {}
    advised = [each["severity"] for each in document.get("advice") or ()]
    yield _by(
        "alerts_open",
        "Alerts that are not over.",
        "severity",
        {each: alerts.get(each, 0) for each in SEVERITIES},
    )
    yield _by("advice", "Things wrong with the gateway itself.", "severity",
              {each: advised.count(each) for each in SEVERITIES})  # fmt: skip
    yield _by("journal_depth_rows", "Rows past a sink's cursor.", "sink", journal.get("depth") or {})
    yield _by(
        "journal_rows_lost", "Rows that had to go unsent.", "kind", journal.get("lost") or {}, "counter"
    )
    if "failing" in journal:
        failing = float(journal["failing"] is not None)
        yield Family(f"{PREFIX}journal_failing", "gauge", "Whether the disk refuses.", (), (((), failing),))
    states = tuple(
        ((str(door["door"]), state), float(door["state"] == state))
        for door in document.get("doors") or ()
        for state in DOOR_STATES
    )
    yield Family(f"{PREFIX}door_state", "gauge", "1 for the state a door is in.", ("door", "state"), states)


def _by(name: str, told: str, label: str, counts: Mapping[str, float], kind: Kind = "gauge") -> Family:
    return Family(
        PREFIX + name, kind, told, (label,), tuple(((each,), float(n)) for each, n in counts.items())
    )


def _one(document: Document, part: str) -> list[tuple[tuple[str, ...], Row]]:
    row = document.get(part)
    return [((), row)] if row else []


def _named(document: Document, part: str, name: str) -> list[tuple[tuple[str, ...], Row]]:
    return [((str(row[name]),), row) for row in document.get(part) or ()]


def _table(
    columns: Sequence[Column], rows: Sequence[tuple[tuple[str, ...], Row]], labels: tuple[str, ...]
) -> list[Family]:
    return [
        Family(
            PREFIX + column.name,
            column.kind,
            column.help,
            labels,
            tuple(
                (names, float(row[column.key]) * column.scale)
                for names, row in rows
                if row.get(column.key) is not None
            ),
        )
        for column in columns
    ]

"""What people see: the status, the alert list, one event as a line, the live screen, figures."""

import io
from typing import Any

import pytest
from rich.console import Console, RenderableType

from gateway.terminal import alerts, figures, lines, status, watch
from gateway.terminal.document import Alert, Status, read
from gateway.terminal.errors import ToolError
from gateway.terminal.words import Words

EN, ZH = Words("en"), Words("zh")

DOCUMENT: dict[str, Any] = {
    "gateway": {"id": "hxtp-01", "name": "红星亭坡 1 号院", "version": "0.1.0", "uptime_s": 90061.0,
                "clock": "synced"},
    "buses": [
        {
            "line": "riser-a", "up": True, "utilisation": 0.47, "noise_bytes": 3, "reopened": 1,
            "echo": True, "wanted": 3.52,
            "devices": [
                {"device": "smoke-1", "address": 1, "online": True, "last_good_ago_s": 0.4,
                 "round_trip_p50_s": 0.0213, "round_trip_p99_s": 0.0355,
                 "timeouts": 2, "crc_errors": 0, "retries": 1},
                {"device": "smoke-2", "address": 2, "online": False, "suspect_duplicate": True},
            ],
        },
        {"line": "gate", "up": False, "devices": []},
    ],
    "uplink": {"connected": True, "broker": "mqtts://b", "protocol": "5", "confirmed": 7, "resent": 1,
               "note": "a note"},
    "journal": {"rows": 1042, "bytes": 200_000, "last_commit_s": 0.0021, "depth": {"mqtt/urgent": 3},
                "lost": {"reading": 4}},
    "alerts": {"critical": 1, "minor": 2},
    "services": {"uplink": {"running": True, "restarts": 2, "last_fault": "TimeoutError"}},
}  # fmt: skip

SMOKE = {
    "alert": "0193a5f2-0000-7000-8000-00000012ab34", "change": "raised", "state": "active_unacked",
    "kind": "fire.smoke",
    "severity": "critical", "text": {"zh": "3 楼 烟感报警", "en": "Smoke alarm, floor 3"}, "first_seen": 1000.0,
    "count": 3,
    "type": "alert",
}  # fmt: skip
HELD = {**SMOKE, "alert": "0193a5f2-0000-7000-8000-00000012cd99", "severity": "minor", "first_seen": 1060.0, "count": 1,
        "state": "active_acked", "by": "local:wang", "text": {"zh": "门未关", "en": "Door held open"}}  # fmt: skip


def shown(what: RenderableType, width: int = 120, height: int = 30) -> str:
    out = io.StringIO()
    Console(file=out, width=width, height=height, highlight=False).print(what)
    return out.getvalue()


def event(**body: Any) -> dict[str, Any]:
    return {"epoch": 1, "seq": 2, "time": 0.0, "body": body}


# --- status ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fact",
    [
        "红星亭坡 1 号院", "hxtp-01", "1 d 1 h", "clock synced", "riser-a", "1/2 online", "47%", "3 noise bytes",
        "asked for 3.5 times",
        "reopened 1", "echoes", "smoke-1", "21 ms", "36 ms", "0.4 s", "offline, unknown", "never", "duplicate address?",
        "down", "mqtts://b", "MQTT 5", "7 confirmed", "1 sent again", "a note", "1042 rows", "200.0 kB", "2.1 ms",
        "3 waiting", "4 lost", "◆ 1 critical", "● 2 minor", "uplink was restarted 2 times: TimeoutError",
    ],
)  # fmt: skip
def test_status_shows(fact: str) -> None:
    assert fact in shown(status.screen(read(Status, DOCUMENT), EN), width=160)


def test_status_speaks_chinese() -> None:
    told = shown(status.screen(read(Status, DOCUMENT), ZH))
    assert "离线，状态未知" in told
    assert "紧急" in told


def test_a_disk_that_refuses_is_what_the_journal_line_says() -> None:
    journal = {**DOCUMENT["journal"], "failing": "No space left on device", "held": 5}
    told = shown(status.screen(read(Status, {**DOCUMENT, "journal": journal}), EN))
    assert "No space left on device; 5 held in memory" in told


def test_no_uplink_is_no_alarm() -> None:
    told = shown(status.screen(read(Status, {**DOCUMENT, "uplink": None}), EN))
    assert "alerts are kept here" in told


@pytest.mark.parametrize("answer", [{}, {"buses": 3}, {"gateway": {"unknown": 1}}, None, []])
def test_status_of_a_gateway_of_another_version_is_still_shown(answer: Any) -> None:
    assert shown(status.screen(read(Status, answer), EN))


# --- alerts ---------------------------------------------------------------------------------------


def both() -> list[Alert]:
    return [read(Alert, SMOKE), read(Alert, HELD)]


def test_alerts_stand_newest_first_with_shape_word_age_and_state() -> None:
    told = shown(alerts.listed(both(), EN, now=1120.0)).splitlines()
    assert "Door held open" in told[1]
    assert "acknowledged (wang)" in told[1]
    for fact in ("◆ critical", "12ab34", "2 min", "Smoke alarm, floor 3", "×3", "active"):
        assert fact in told[2]


def test_alerts_speak_chinese() -> None:
    assert "3 楼 烟感报警" in shown(alerts.listed(both(), ZH, now=1120.0))


def test_an_alert_is_chosen_by_the_end_of_its_id() -> None:
    assert alerts.chosen("12cd99", both()).severity == "minor"


@pytest.mark.parametrize(
    ("wanted", "key"), [("0193", "alerts.several"), ("nope", "alerts.unknown"), ("", "alerts.unknown")]
)
def test_an_alert_that_is_not_one_is_not_chosen(wanted: str, key: str) -> None:
    with pytest.raises(ToolError) as error:
        alerts.chosen(wanted, both())
    assert error.value.key == key


# --- one event as a line --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"type": "reading", "device": "smoke-1", "point": "smoke", "value": 121, "unit": "ppm", "quality": "good"},
         "· smoke-1 smoke 121 ppm"),
        ({"type": "reading", "device": "door-1", "point": "contact", "value": True, "quality": "good"}, "contact true"),
        ({"type": "reading", "device": "smoke-1", "point": "smoke", "value": 3, "quality": "stale"}, "smoke unknown"),
        ({"type": "link", "what": "bus", "name": "riser-a", "up": False, "reason": "unplugged"},
         "✗ line riser-a is away  unplugged"),
        (SMOKE, "◆ critical raised  Smoke alarm, floor 3  ×3"),
        ({**SMOKE, "change": "cleared"}, "✓ critical cleared"),
        ({"type": "command", "device": "door-1", "action": "unlock", "arguments": {"seconds": 5.0},
          "origin": "local:root"},
         "▶ door-1 unlock seconds=5  local:root"),
        ({"type": "outcome", "device": "door-1", "action": "unlock", "result": "done", "detail": "read back"},
         "✓ door-1 unlock done  read back"),
        ({"type": "outcome", "device": "door-1", "action": "unlock", "result": "late", "detail": ""},
         "✗ door-1 unlock too late"),
        ({"type": "note", "what": "started", "detail": "0.1.0"}, "note  started  0.1.0"),
        ({"type": "something new"}, "something new"),
        ({}, "·"),
    ],
)  # fmt: skip
def test_an_event_is_told_in_a_line(body: dict[str, Any], told: str) -> None:
    line = lines.event_line(event(**body), EN).plain
    assert told in line
    assert "\n" not in line


# --- the live screen ------------------------------------------------------------------------------


def view() -> watch.View:
    seen = watch.View(EN)
    seen.take({"status": DOCUMENT, "alerts": [SMOKE, HELD], "missed": 2})
    for number in range(100):
        seen.take({"event": event(type="note", what="tick", detail=str(number))})
    return seen


def test_the_screen_shows_lines_uplink_alerts_and_the_newest_event() -> None:
    told = shown(view().screen(30))
    for fact in ("riser-a", "1/2", "mqtts://b", "Smoke alarm, floor 3", "tick  99", "missed 2 events"):
        assert fact in told


def test_contacts_and_lost_values_are_news_and_measured_numbers_are_not() -> None:
    seen = watch.View(EN)
    for value, quality in ((7.0, "good"), (8.5, "good"), (8.5, "stale")):
        seen.take({"event": event(type="reading", device="s", point="smoke", value=value, quality=quality)})
    for contact in (False, False, True):
        seen.take(
            {"event": event(type="reading", device="d", point="contact", value=contact, quality="good")}
        )
    assert [line.plain.partition("· ")[2] for line in seen.ticker] == ["s smoke unknown", "d contact true"]


def test_a_long_reason_does_not_push_the_alerts_out() -> None:
    uplink = {**DOCUMENT["uplink"], "connected": False, "trouble": "x" * 300}
    seen = watch.View(EN)
    seen.take({"status": {**DOCUMENT, "uplink": uplink}, "alerts": []})
    assert "1 critical" in shown(seen.screen(30))


def test_a_small_screen_keeps_the_line_that_is_in_trouble() -> None:
    well = [{"line": f"well-{number}", "up": True, "devices": []} for number in range(20)]
    seen = watch.View(EN)
    seen.take({"status": {**DOCUMENT, "buses": [*well, {"line": "broken", "up": False}]}, "alerts": []})
    assert "✗ broken" in shown(seen.screen(16), width=100, height=16)


def test_a_gateway_that_is_lost_is_what_the_first_line_says() -> None:
    seen = view()
    seen.lost = "no gateway is running here"
    assert shown(seen.screen(30)).startswith("✗ no gateway is running here")


# --- figures --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, "never"), (-1.0, "0.0 s"), (0.44, "0.4 s"), (59.4, "59 s"), (60.0, "1 min"), (3600.0, "1 h 0 min"),
     (90061.0, "1 d 1 h")],
)  # fmt: skip
def test_an_age_is_told_in_its_two_largest_units(seconds: float | None, told: str) -> None:
    assert figures.age(seconds, EN) == told


@pytest.mark.parametrize(("share", "marks"), [(0.0, 0), (0.01, 1), (0.5, 6), (1.0, 12), (7.0, 12), (-1.0, 0)])
def test_a_bar_has_its_share_of_marks_and_always_its_width(share: float, marks: int) -> None:
    assert figures.bar(share).count("━") == marks
    assert len(figures.bar(share)) == 12


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 B"), (999, "999 B"), (31_700, "31.7 kB"), (5e9, "5.0 GB")]
)
def test_bytes_are_told_in_a_unit_people_know(count: float, told: str) -> None:
    assert figures.size(count) == told


def test_a_time_of_another_day_carries_its_date() -> None:
    assert "-" in figures.clock(0.0)


def test_a_desk_that_does_not_answer_and_what_the_gateway_told_itself_stand_in_the_status() -> None:
    resort = {"silent": True, "told": 3, "failed": 2, "lines": {"ntfy-1": "ok"}}
    text = shown(status.screen(read(Status, {**DOCUMENT, "last_resort": resort}), EN))
    assert "the duty desk does not answer" in text
    assert "3 told by the gateway itself" in text
    assert "2 times not taken" in text


# --- what is wrong with the gateway itself --------------------------------------------------------


ADVICE = {"what": "line.down", "severity": "major", "zh": "总线 gate 不通", "en": "Line gate is down",
          "do_zh": "看适配器", "do_en": "Look at the adapter"}  # fmt: skip


def test_status_says_what_is_wrong_and_what_to_do_in_the_readers_language() -> None:
    document = {**DOCUMENT, "advice": [ADVICE]}
    told = shown(status.screen(read(Status, document), EN))
    assert "▲ Line gate is down\n  → Look at the adapter" in "\n".join(
        line.rstrip() for line in told.splitlines()
    )
    assert "→ 看适配器" in shown(status.screen(read(Status, document), ZH))
    assert "What is wrong" not in shown(status.screen(read(Status, DOCUMENT), EN))


def test_status_shows_what_the_machine_tells_and_no_more() -> None:
    board = {
        "temperature_c": 48.3,
        "disk_free_bytes": 20 * 10**9,
        "card_written_bytes_per_day": 5e7,
        "card_years": 41.2,
    }
    told = shown(status.screen(read(Status, {**DOCUMENT, "board": board}), EN))
    assert "48 °C · 20.0 GB of disk free · 50.0 MB a day in all · a card lasts 41 years at that" in told

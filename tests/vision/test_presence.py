"""Whether a camera is there: an hour without a stream, a short death, a picture that stands still."""

import msgspec

from gateway.core.events import AlertBody, LinkBody, PictureBody
from gateway.core.judged import Judgement
from gateway.core.texts import Subject
from gateway.vision.messages import Look
from gateway.vision.presence import AWAY_S, SLOW, Presence, looks
from tests.events import alert_body


def links(told: list[LinkBody | PictureBody]) -> list[bool]:
    return [body.up for body in told if isinstance(body, LinkBody)]


def wrong(told: list[LinkBody | PictureBody]) -> dict[str, bool]:
    return {body.kind: body.wrong for body in told if isinstance(body, PictureBody)}


def follow(
    presence: Presence, seconds: range, *, frames: bool = True, look: Look = "fine"
) -> list[LinkBody | PictureBody]:
    """Let a heartbeat come each second, with new frames or without, and return what was told."""
    told = []
    for second in seconds:
        presence.beat(second * 25 if frames else 1, look, float(second))
        told += presence.due(float(second))
    return told


def test_an_hour_without_a_stream_is_one_alert_and_its_end() -> None:
    presence = Presence("north", 0.0)
    told = follow(presence, range(1, 60))
    presence.lost("connection refused")
    told += follow(presence, range(60, 3660), frames=False)
    told += follow(presence, range(3660, 3700))
    assert links(told) == [True, False, True]
    assert (
        next(body for body in told if isinstance(body, LinkBody) and not body.up).reason
        == "connection refused"
    )


def test_a_process_that_is_back_within_seconds_is_no_alert() -> None:
    presence = Presence("north", 0.0)
    told = follow(presence, range(1, 60))
    presence.restarted()
    told += presence.due(60.0 + AWAY_S - 2)
    presence.beat(1, "fine", 60.0 + AWAY_S - 2)
    told += presence.due(60.0 + AWAY_S)
    assert links(told) == [True]


def test_a_camera_that_never_gave_a_frame_is_down_and_not_before_its_time() -> None:
    presence = Presence("north", 0.0)
    assert presence.due(AWAY_S - 1) == []
    assert links(presence.due(AWAY_S)) == [False]
    assert presence.due(AWAY_S + 100) == []


def test_a_picture_that_stands_still_is_a_camera_that_is_away() -> None:
    presence = Presence("north", 0.0)
    told = follow(presence, range(1, 10)) + follow(presence, range(10, 20), look="frozen")
    told += follow(presence, range(20, 30))
    assert links(told) == [True, False, True]


def test_a_covered_camera_is_a_condition_that_ends() -> None:
    presence = Presence("north", 0.0)
    assert wrong(follow(presence, range(1, 5))) == dict.fromkeys(
        ("camera.covered", "camera.moved", "camera.defocused"), False
    )
    assert wrong(follow(presence, range(5, 10), look="covered"))["camera.covered"]
    assert not wrong(follow(presence, range(10, 15)))["camera.covered"]


def test_too_few_pictures_are_a_condition_told_when_it_is_known_and_once() -> None:
    presence = Presence("north", 0.0)

    def watched(seconds: range, fps: int) -> list[bool]:
        told = []
        for second in seconds:
            presence.beat(second * fps, "fine", float(second))
            told += presence.due(float(second))
        return [body.wrong for body in told if isinstance(body, PictureBody) and body.kind == SLOW]

    assert watched(range(1, 120), 25) == []
    assert watched(range(120, 600), 25) == [False]
    presence.restarted()
    assert watched(range(600, 1200), 2) == [True]
    presence.restarted()
    assert watched(range(1200, 1800), 25) == [False]


def test_a_camera_that_was_away_is_not_slow_for_it() -> None:
    presence = Presence("north", 0.0)
    told = follow(presence, range(1, 400))
    told += [body for second in range(400, 430) for body in presence.due(float(second))]
    for second in range(430, 700):
        presence.beat(10_000 + (second - 430) * 25, "fine", float(second))
        told += presence.due(float(second))
    assert [body.wrong for body in told if isinstance(body, PictureBody) and body.kind == SLOW] == [False]


def test_how_cameras_look_stands_in_the_list_of_alerts() -> None:
    def alert(name: str, state: str = "active_acked", kind: str = "camera.covered") -> AlertBody:
        key = Judgement(kind, name, true=True, subject=Subject(name)).key
        return msgspec.structs.replace(alert_body(1, kind=kind, state=state), key=key)

    alerts = [
        alert("north"),
        alert("east", "cleared_unacked"),
        alert("south", "shelved_active"),
        alert("west", kind="camera.moved"),
        alert("yard", kind="camera.frozen"),
        alert("hall", "over", kind="camera.defocused"),
    ]
    assert looks(alerts) == {"north": "covered", "south": "covered", "west": "moved"}

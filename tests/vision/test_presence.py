"""Whether a camera is there: an hour without a stream, a short death, a picture that stands still."""

from gateway.core.events import LinkBody, PictureBody
from gateway.vision.messages import Look
from gateway.vision.presence import AWAY_S, Presence


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

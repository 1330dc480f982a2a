"""Falls: one act is one alert, evidence finds it also late, and texts say which floor of which building."""

import msgspec
import pytest

from gateway.core.events import AlertBody, Certainty, FallBody, PictureBody, Place, Severity, Words
from gateway.core.texts import Facts, Subject, describe
from gateway.services.alerting import Alerting
from tests.gateway.street import COMPOUND, KINDS, Street

HERE = Place(compound=COMPOUND, building="2")


class Watched(Street):
    """The street with a camera on its north side."""

    def __init__(self, **changes: object) -> None:
        super().__init__()
        told = changes.pop("restore", ())
        self.alerting = Alerting(
            {},
            kinds=KINDS,
            submit=self.submit,
            read_soon=lambda _device, _point: None,
            new_id=self._new_id,
            place=Place(compound=COMPOUND),
            cameras=changes.pop("cameras", {"north": Subject("north", place=HERE)}),  # type: ignore[arg-type]
            restore=told,  # type: ignore[arg-type]
        )

    def fell(
        self, fall: str, *, floor: int | None = 7, evidence: tuple[str, ...] = (), note: str = ""
    ) -> None:
        self.submit(
            FallBody("north", "falling.object", fall, self.now, 0.97, floor, floor, floor, evidence, note)
        )


def test_a_fall_is_an_alert_with_floor_building_and_still() -> None:
    street = Watched()
    street.now = 5.0
    street.fell("f1", evidence=("still",))
    (alert,) = street.told
    assert (alert.kind, alert.severity, alert.certainty) == (
        "falling.object",
        Severity.MAJOR,
        Certainty.LIKELY,
    )
    assert alert.text == Words("2 栋 7 楼附近有高空抛物", "Object thrown from about floor 7 of building 2")
    assert (alert.place.floor, alert.place.building, alert.device) == ("7", "2", "north")
    assert (alert.evidence, alert.note) == (("still",), "confidence 97%")
    assert alert.first_seen == 5.0 + street.wall_minus_monotonic


def test_without_a_floor_scale_the_text_names_the_building_alone() -> None:
    street = Watched()
    street.fell("f1", floor=None)
    assert street.told[0].text == Words("2 栋有高空抛物", "Object thrown from building 2")


def test_what_falls_within_half_a_minute_counts_on_the_same_alert() -> None:
    street = Watched()
    for number in range(3):
        street.now = number * 20.0
        street.fell(f"f{number}", evidence=(f"still-{number}",))
    assert [(body.change, body.count) for body in street.told] == [
        ("raised", 1),
        ("updated", 2),
        ("updated", 3),
    ]
    assert street.open("falling.object").evidence == ("still-0", "still-1", "still-2")


def test_what_falls_later_is_an_alert_of_its_own() -> None:
    street = Watched()
    street.fell("f1")
    street.now = 31.0
    street.fell("f2")
    assert len({body.alert for body in street.told}) == 2


def test_what_falls_after_somebody_acknowledged_is_raised_anew() -> None:
    street = Watched()
    street.fell("f1")
    street.alerting.acknowledge(street.open("falling.object").alert, "guard")
    street.now = 10.0
    street.fell("f2")
    assert [str(body.change) for body in street.told] == ["raised", "acknowledged", "cleared", "raised"]


def test_the_clip_is_added_when_it_comes() -> None:
    street = Watched()
    street.fell("f1", evidence=("still",))
    street.now = 12.0
    street.fell("f1", evidence=("still", "clip"))
    last = street.told[-1]
    assert (last.change, last.count, last.evidence) == ("updated", 1, ("still", "clip"))


def test_a_clip_that_comes_after_the_alert_is_over_is_told_and_opens_nothing() -> None:
    street = Watched()
    street.fell("f1", evidence=("still",))
    street.alerting.acknowledge(street.open("falling.object").alert, "guard")
    street.now = 12.0
    street.fell("f1", evidence=("still", "clip"))
    last = street.told[-1]
    assert (last.state, last.change, last.evidence) == ("over", "updated", ("still", "clip"))
    assert street.alerting.alerts() == []


def test_evidence_that_was_lost_is_told() -> None:
    street = Watched()
    street.fell("f1", evidence=("still",))
    street.fell("f1", note="evidence missing (still): disk full")
    last = street.told[-1]
    assert (last.evidence, last.note) == ((), "evidence missing (still): disk full")


def test_a_fall_of_a_camera_nobody_knows_is_told_by_its_name() -> None:
    street = Watched(cameras={})
    street.fell("f1", floor=None)
    assert street.told[0].text.en == "Object thrown from north"


@pytest.mark.parametrize("kind", ["camera.covered", "camera.moved", "camera.defocused"])
def test_a_picture_that_went_wrong_is_an_alert_until_it_is_right(kind: str) -> None:
    street = Watched()
    street.submit(PictureBody("north", kind, wrong=True))
    street.submit(PictureBody("north", kind, wrong=True))
    assert street.kinds() == [kind]
    assert "north" in street.open(kind).text.en
    street.now = 60.0
    street.submit(PictureBody("north", kind, wrong=False))
    assert [str(body.change) for body in street.told] == ["raised", "cleared"]


def test_a_lost_camera_says_where_it_looks() -> None:
    street = Watched()
    street.link("camera", "north", up=False)
    assert street.open("camera.frozen").text.en == "No moving picture from camera north, building 2"
    street.now = 60.0
    street.link("camera", "north", up=True)
    assert street.told[-1].change == "cleared"


def test_an_alert_of_a_camera_that_is_not_configured_any_more_ends() -> None:
    before = Watched()
    before.link("camera", "north", up=False)
    after = Watched(cameras={}, restore=[each for each in before.events if isinstance(each.body, AlertBody)])
    after.now = 5.0
    after.note("gateway.started")
    assert after.told[-1].change == "cleared"


@pytest.mark.parametrize(
    ("place", "zh", "en"),
    [
        (
            Place(building="2", unit="1", floor="7"),
            "2 栋 1 单元 7 楼附近",
            "about floor 7 of unit 1 of building 2",
        ),
        (Place(building="南楼", floor="7"), "南楼 7 楼附近", "about floor 7 of 南楼"),
        (Place(compound="院"), "north", "north"),
        (Place(floor="3"), "3 楼附近", "about floor 3"),
    ],
)
def test_an_origin_is_said_from_the_inside_out(place: Place, zh: str, en: str) -> None:
    kind = msgspec.structs.replace(KINDS["falling.object"], zh="{origin}", en="{origin}")
    assert describe(kind, Facts(Subject("north", place=place))) == Words(zh, en)

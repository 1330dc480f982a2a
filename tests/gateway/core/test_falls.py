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
        self,
        fall: str,
        *,
        floor: int | None = 7,
        evidence: tuple[str, ...] = (),
        note: str = "",
        more: bool = False,
        seen_at: float | None = None,
    ) -> None:
        kind, sure, at = "falling.object", 0.97, self.now if seen_at is None else seen_at
        self.submit(FallBody("north", kind, fall, at, sure, floor, floor, floor, evidence, note, more=more))


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
    assert (alert.evidence, alert.note) == (("still",), "把握 97% (confidence 97%)")
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


def test_what_is_missing_at_once_is_said_behind_how_sure_it_is() -> None:
    street = Watched()
    street.fell("f1", note="无截图 (no still)")
    assert street.told[0].note == "把握 97% (confidence 97%); 无截图 (no still)"


@pytest.mark.parametrize(("seen_at", "first"), [(60.0, 60.0), (130.0, 100.0)])
def test_a_fall_was_when_it_was_seen_and_never_later_than_it_is_told(seen_at: float, first: float) -> None:
    street = Watched()
    street.now = 100.0
    street.fell("f1", seen_at=seen_at)
    assert street.told[0].first_seen == first + street.wall_minus_monotonic


@pytest.mark.parametrize(("seen_at", "alerts"), [(130.0, 1), (130.1, 2)])
def test_half_a_minute_is_from_the_last_that_was_seen_though_one_before_it_is_told_later(
    seen_at: float, alerts: int
) -> None:
    street = Watched()
    street.now = 100.0
    street.fell("f1")
    street.now = 101.0
    street.fell("f2", seen_at=80.0)
    street.now = seen_at
    street.fell("f3")
    assert len({alert.alert for alert in street.told}) == alerts
    assert street.told[1].count == 2


@pytest.mark.parametrize(
    ("first", "second", "told"), [(None, 5, "5"), (7, 5, "7"), (0, 5, "0"), (None, None, "")]
)
def test_an_act_is_told_from_the_first_floor_that_is_known(
    first: int | None, second: int | None, told: str
) -> None:
    street = Watched()
    street.fell("f1", floor=first)
    street.fell("f2", floor=second)
    assert street.told[-1].count == 2
    assert street.told[-1].place.floor == told


def test_evidence_later_than_anybody_remembers_raises_nothing() -> None:
    street = Watched()
    street.fell("f1", evidence=("still",))
    street.alerting.acknowledge(street.open("falling.object").alert, "guard")
    told = len(street.told)
    street.now = 301.0
    street.fell("f1", evidence=("still", "clip"), more=True)
    assert len(street.told) == told


def test_evidence_of_a_fall_that_was_told_long_after_it_was_seen_finds_its_alert() -> None:
    street = Watched()
    street.now = 1000.0
    street.submit(FallBody("north", "falling.object", "f1", 400.0, 0.97))
    street.alerting.acknowledge(street.open("falling.object").alert, "guard")
    street.now = 1010.0
    street.submit(FallBody("north", "falling.object", "f1", 400.0, 0.97, evidence=("clip",), more=True))
    assert len({body.alert for body in street.told}) == 1
    assert street.told[-1].evidence == ("clip",)


def test_what_is_missing_is_said_behind_what_was_said_before() -> None:
    street = Watched()
    street.submit(FallBody("north", "falling.object", "f1", 0.0, 0.97, 7, 6, 8, ("still",)))
    street.fell("f1", note="缺现场图片 (still missing): no room", more=True)
    told = "把握 97%，6 至 8 楼 (confidence 97%, floor 6 to 8)"
    assert street.told[-1].note == f"{told}; 缺现场图片 (still missing): no room"
    street.alerting.acknowledge(street.open("falling.object").alert, "guard", "two bottles, sent somebody")
    street.fell("f1", evidence=("clip",), more=True)
    assert (street.told[-1].note, street.told[-1].evidence) == ("two bottles, sent somebody", ("clip",))


def test_what_is_missing_of_an_alert_that_is_over_is_said_behind_what_was_said_there() -> None:
    street = Watched()
    street.fell("f1", evidence=("still",))
    street.alerting.acknowledge(street.open("falling.object").alert, "guard", "two bottles")
    street.fell("f1", evidence=("still",), note="缺现场录像 (clip missing)", more=True)
    assert (street.told[-1].state, street.told[-1].note) == ("over", "two bottles; 缺现场录像 (clip missing)")
    street.fell("f1", evidence=("still", "clip"), more=True)
    assert street.told[-1].note == "two bottles; 缺现场录像 (clip missing)"


def test_what_is_missing_of_an_alert_that_so_many_followed_is_told_to_nobody() -> None:
    street = Watched()
    street.fell("f1")
    street.alerting.acknowledge(street.open("falling.object").alert, "guard")
    for number in range(64):
        street.link("camera", f"c{number}", up=False)
        street.alerting.acknowledge(street.told[-1].alert, "guard")
        street.link("camera", f"c{number}", up=True)
    told = len(street.told)
    street.fell("f1", note="缺现场录像 (clip missing)", more=True)
    assert len(street.told) == told


def test_an_alert_has_only_so_many_falls_and_its_note_only_so_many_words() -> None:
    street = Watched()
    for number in range(40):
        street.now = number * 10.0
        pieces = (f"{number} still", f"{number} whole", f"{number} clip")
        street.fell(f"f{number}", evidence=pieces[:1])
        street.fell(f"f{number}", evidence=pieces, note="缺现场录像 (clip missing): " + "x" * 90, more=True)
    by_alert = {body.alert: body for body in street.told}
    assert [body.count for body in by_alert.values()] == [15, 15, 10]
    named = [each for body in by_alert.values() for each in body.evidence]
    assert len(named) == len(set(named)) == 120
    street.fell("f39", evidence=pieces, note="y" * 300, more=True)
    street.fell("f39", evidence=pieces, note="y" * 300, more=True)
    assert len(street.told[-1].note or "") < 800


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
    street.fell("f1", note="缺现场图片 (still missing): disk full")
    last = street.told[-1]
    assert (last.evidence, last.note) == (
        (),
        "把握 97% (confidence 97%); 缺现场图片 (still missing): disk full",
    )


def test_a_fall_of_a_camera_nobody_knows_is_told_by_its_name() -> None:
    street = Watched(cameras={})
    street.fell("f1", floor=None)
    assert street.told[0].text.en == "Object thrown from north"


@pytest.mark.parametrize("kind", ["camera.covered", "camera.moved", "camera.defocused", "camera.slow"])
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

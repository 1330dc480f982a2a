"""What `vision` shows of a sighting: times of the video, floors, pixels, and the words for why not."""

import pytest

from gateway.terminal.vision import Sighting, Total, clock, line, plain, reason, summary
from gateway.terminal.words import Words

EN, ZH = Words("en"), Words("zh")
TRACK = ((50, 100.04, 20.06, 4.0, 6.0), (51, 101.0, 30.0, 4.0, 8.0))


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00.00"), (2.359, "0:02.36"), (59.999, "1:00.00"), (3725.5, "1:02:05.50"), (-0.001, "0:00.00")],
)
def test_times_of_the_video_read_like_those_of_a_player(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


@pytest.mark.parametrize(
    ("floors", "en", "zh"),
    [
        (None, "floor unknown", "楼层未知"),
        ((8, 8, 8), "from floor 8  ", "自 8 楼  "),
        ((8, 7, 9), "from floor 8 (7–9)", "自 8 楼（7–9）"),
    ],
)
def test_the_floor_is_told_with_its_range_where_it_is_one(
    floors: tuple[int, int, int] | None, en: str, zh: str
) -> None:
    seen = Sighting(2.0, 3.0, 0.973, TRACK, floors)
    assert en in line(seen, EN).plain
    assert zh in line(seen, ZH).plain
    assert line(seen, EN).plain.startswith("▼ 0:02.00–0:03.00  97% sure")
    assert line(seen, EN).plain.endswith("(102, 23) → (103, 34)")


def test_scripts_get_tenths_of_pixels_and_whole_frames() -> None:
    told = plain(Sighting(2.00049, 3.0, 0.97312, TRACK, (8, 7, 9)))
    assert told == {
        "t_start": 2.0, "t_end": 3.0, "confidence": 0.9731, "origin_floor": 8,
        "track": [[50, 100.0, 20.1, 4.0, 6.0], [51, 101.0, 30.0, 4.0, 8.0]],
    }  # fmt: skip


def test_what_was_rejected_says_why_and_is_no_fall_to_a_script() -> None:
    miss = Sighting(2.0, 3.0, 0.3, TRACK, rejected="aside")
    assert "no fall: went aside more than down" in line(miss, EN).plain
    assert plain(miss)["rejected"] == "aside"
    assert "confidence" not in plain(miss)


def test_a_reason_without_words_is_shown_as_it_is() -> None:
    assert reason("new-reason", EN) == "new-reason"


def test_the_summary_tells_frames_seconds_speed_and_falls() -> None:
    (told,) = summary(Total(1500, 60.0, 8.0, 2), EN)
    assert told.plain == "✓ 1500 frames, 1:00.00 of video in 8.0 s (7.5x real time)  falls: 2"
    assert "没有坠物" in summary(Total(10, 0.4, 0.0, 0), ZH)[0].plain


def test_the_summary_tells_first_what_could_not_be_watched() -> None:
    damaged, cut, _ = summary(Total(50, 2.0, 0.5, 0, damaged=3, length_s=4.0), EN)
    assert "left out: 3" in damaged.plain
    assert "ends at 0:02.00, though its header says 0:04.00" in cut.plain

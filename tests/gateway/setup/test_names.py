"""What the wizard calls things: no answer leads to a file that `check` refuses and that no second start can mend."""

from pathlib import Path

from tests.gateway.setup.pretend import DOOR, SMOKE, answered, device, lines, typed
from tests.gateway.setup.test_wizard import BASICS, check, written


def test_the_name_of_another_line_is_refused_when_it_is_typed(tmp_path: Path) -> None:
    """Said only in the end, it stood on record: every further start came to the same file and the same fault."""
    with lines(tmp_path, a=[device(SMOKE, 1)], b=[device(SMOKE, 2)]) as ports:
        told = typed(
            tmp_path, "Hongxing", "hxtp-01", "", "", "", " ".join(ports.values()),
            "line-2", SMOKE, "2/1/3", "", "line-2", "line-3", "", "", "", "",
        )  # fmt: skip
    assert told.exit_code == 0, told.output
    assert "line-2 is another's name already" in told.output
    assert [bus["name"] for bus in written(tmp_path)["bus"]] == ["line-2", "line-3"]
    assert check(tmp_path)[0] == 0


def test_a_line_called_as_the_next_one_would_be_leaves_that_another_default(tmp_path: Path) -> None:
    with lines(tmp_path, a=[device(SMOKE, 1)], b=[device(SMOKE, 2)]) as ports:
        told = answered(tmp_path, **BASICS, lines=" ".join(ports.values()), line=["line-2"])
    assert told.exit_code == 0, told.output
    assert [bus["name"] for bus in written(tmp_path)["bus"]] == ["line-2", "line-1"]


def test_a_device_may_be_called_as_the_wizard_would_call_a_door_or_the_interlock(tmp_path: Path) -> None:
    with lines(tmp_path, a=[device(DOOR, 1), device(DOOR, 2)]) as ports:
        told = answered(
            tmp_path, **(BASICS | {"product": DOOR}), lines=ports["a"], place="2/1/1", called=["gate", "fire"]
        )
    assert told.exit_code == 0, told.output
    made = written(tmp_path)
    names = [each["name"] for each in (*made["bus"][0]["device"], *made["door"], *made["interlock"])]
    assert len(set(names)) == len(names) == 5
    assert check(tmp_path)[0] == 0


def test_an_answer_to_no_question_at_all_is_a_slip_and_told_before_anything_is_asked(tmp_path: Path) -> None:
    """A broker by another name was passed over: the gateway was set up without one, and told nobody anything."""
    told = answered(tmp_path, **BASICS, lines="/dev/no-such-port", brokre="mqtts://broker.example")
    assert told.exit_code == 1
    assert "brokre" in told.output
    assert "broker?" in told.output
    assert not (tmp_path / "gateway.toml").exists()


def test_answers_left_over_are_told_and_nothing_is_written(tmp_path: Path) -> None:
    """One detector that was not found moved every place after it by one: a fire would be told on the wrong floor."""
    with lines(tmp_path, a=[device(SMOKE, 1), device(SMOKE, 3)]) as ports:
        told = answered(tmp_path, **BASICS, lines=ports["a"], place=["2/1/1", "2/1/2", "2/1/3"])
    assert told.exit_code == 1
    assert "place" in told.output
    assert "2/1/3" in told.output
    assert not (tmp_path / "gateway.toml").exists()

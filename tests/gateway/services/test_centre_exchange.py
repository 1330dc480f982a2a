"""Serial numbers, answers and re-sends as the standard says, told the time."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.gb26875.frames import Command, Frame
from gateway.services.centre.exchange import Asked, Ends, Exchange, Ignored, Patience, Settled

ENDS = Ends(889, 88888)


def exchange(patience: Patience | None = None) -> Exchange:
    return Exchange(ENDS, patience or Patience(5.0, 3), lambda: bytes(6))


def answer(serial: int, command: Command = Command.CONFIRM, source: int = 88888, to: int = 889) -> Frame:
    return Frame(serial, command, source, to, bytes(6))


def test_every_packet_has_the_next_number_and_one_that_is_open_is_not_used_again() -> None:
    it = exchange()
    first = it.begin(lambda: b"", "slow", 0.0)
    assert first.serial == 0, "6.6: it begins with 0"
    for number in range(1, 65536):
        assert it.begin(lambda: b"", number, 0.0).serial == number
        it.receive(answer(number), 0.0)
    assert it.begin(lambda: b"", "next", 0.0).serial == 1
    assert it.keys == ["slow", "next"]


def test_an_unanswered_packet_is_sent_three_times_more_and_then_the_centre_is_gone() -> None:
    it = exchange()
    first = it.begin(lambda: b"\2", "x", 0.0)
    for again in (5.0, 10.0, 15.0):
        assert it.due(again - 0.1) == []
        assert it.due(again) == [first]
    assert it.due(19.9) == []
    assert it.due(20.0) is None


def test_an_unanswered_packet_is_given_up_by_itself_where_another_was_answered_since() -> None:
    it = exchange()
    it.begin(lambda: b"\2", "ignored", 0.0)
    for again in (5.0, 10.0, 15.0):
        it.due(again)
    before = it.doubtful
    beside = it.begin(lambda: b"", "beside", 15.1)
    it.receive(answer(beside.serial), 15.2)
    assert (before, it.doubtful) == (True, False)
    assert it.due(20.0) == [Settled("ignored", confirmed=False, tries=4)]
    assert it.open == 0


def test_a_refused_packet_is_sent_three_times_more_and_then_given_up() -> None:
    it = exchange()
    first = it.begin(lambda: b"\2", "x", 0.0)
    for _ in range(3):
        assert it.receive(answer(0, Command.DENY), 0.1) == first
    assert it.receive(answer(0, Command.DENY), 0.1) == Settled("x", confirmed=False, tries=4)
    assert (it.open, it.resent, it.refused) == (0, 3, 1)


def test_a_confirmation_counts_once_and_only_from_the_centre_to_us_under_an_open_number() -> None:
    it = exchange()
    it.begin(lambda: b"", "x", 0.0)
    for wrong in (answer(1), answer(0, source=88889), answer(0, to=890), answer(0, Command.RESPONSE)):
        assert isinstance(it.receive(wrong, 0.1), Ignored)
    assert it.receive(answer(0), 0.2) == Settled("x", confirmed=True)
    assert isinstance(it.receive(answer(0), 0.3), Ignored)
    assert sum(it.ignored.values()) == 5


def test_a_packet_says_what_is_so_when_it_is_sent_again() -> None:
    it, said = exchange(), [b"\1"]
    it.begin(lambda: said[0], "x", 0.0)
    said[0] = b"\2"
    again = it.due(5.0)
    assert again is not None
    assert isinstance(again[0], Frame)
    assert again[0].unit == b"\2"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["begin", "receive", "wait"]), st.integers(0, 8), st.sampled_from(list(Command))
        ),
        max_size=60,
    )
)
def test_whatever_comes_a_packet_is_settled_once_or_still_open(steps: list[tuple[str, int, Command]]) -> None:
    it, now, begun, settled = exchange(), 0.0, 0, list[object]()
    for what, number, command in steps:
        if what == "begin":
            it.begin(lambda: b"", begun, now)
            begun += 1
        elif what == "receive":
            result = it.receive(answer(number, command), now)
            assert isinstance(result, Settled | Asked | Ignored | Frame)
            if isinstance(result, Settled):
                settled.append(result.key)
        else:
            now += number
            due = it.due(now)
            if due is None:
                return
            settled += [each.key for each in due if isinstance(each, Settled)]
    assert len(settled) == len(set(settled))
    assert len(settled) + it.open == begun

"""Who is there, and why not: the state machine of a line's peripherals, told the time."""

import itertools

from drivers.osdp import frames, supervision
from drivers.osdp.frames import Frame
from drivers.osdp.supervision import Supervision
from drivers.presence import Change, Turn

ACK = Frame(0, True, frames.ACK, b"\x02\x16", b"")
NAK = Frame(0, True, frames.NAK, b"", b"\x09")


def started(count: int = 1) -> Supervision:
    made = Supervision(count, 0.0)
    made.opened(0.0)
    return made


def up(count: int = 1) -> Supervision:
    made = started(count)
    for seat in range(count):
        made.secured(seat, 0.1)
    return made


def offline(changes: object) -> list[str]:
    assert isinstance(changes, list | tuple)
    return [c.reason for c in changes if isinstance(c, Change) and c.turn is Turn.OFFLINE]


def ask(made: Supervision, code: int, reply: Frame | None, now: float, seat: int = 0) -> None:
    made.asked(seat, code)
    if reply is not None:
        made.answered(seat, reply, now)


def test_a_lost_reply_is_asked_for_again_and_a_second_one_ends_the_wait() -> None:
    made = up()
    ask(made, frames.POLL, None, 1.0)
    assert made.missed(0, final=False, now=1.2)[0] is False
    ask(made, frames.POLL, None, 2.0)
    assert made.missed(0, final=False, now=2.2)[0] is True


def test_a_command_of_a_person_is_not_left_to_be_repeated_later() -> None:
    made = up()
    ask(made, frames.OUTPUT, None, 5.0)
    assert made.missed(0, final=True, now=5.2)[0] is True
    made.dropped(0, 5.2)
    assert made.due(5.2) == [0]


def test_a_silent_peripheral_is_offline_after_three_seconds_and_tried_ever_more_seldom() -> None:
    made, now, told, starts = up(), 1.0, [], []
    for _ in range(2):  # the poll, and the same again
        ask(made, frames.POLL, None, now)
        give_up, changes = made.missed(0, final=False, now=now + 0.2)
        assert not offline(changes)
        now += 1.0
    assert give_up
    made.dropped(0, now)
    while now < 60.0:
        now = made.next_at() or now
        assert made.due(now) == [0]
        starts.append(now)
        made.started(0, now)
        give_up, changes = made.missed(0, final=False, now=now + 0.2)
        told += [(now, reason) for reason in offline(changes)]
        assert give_up
        made.dropped(0, now + 0.2)
    assert [reason for _, reason in told] == ["silent"]
    assert 3.0 <= told[0][0] <= 5.0
    pauses = [round(later - earlier, 3) for earlier, later in itertools.pairwise(starts)]
    assert pauses[:3] == [0.7, 1.2, 2.2]
    assert pauses[-1] == 10.2


def test_a_peripheral_that_says_no_is_back_at_once() -> None:
    made = up()
    ask(made, frames.INPUT_STATUS, NAK, 4.0)
    assert made.refused(0) == "the device says no: it cannot do that"
    assert made.dropped(0, 4.0) == ()
    assert made.due(4.0) == [0]


def test_one_that_drops_again_and_again_is_left_alone_for_a_while() -> None:
    made = up()
    for turn in range(8):
        ask(made, frames.INPUT_STATUS, NAK, 0.2 + turn / 10)
        made.dropped(0, 0.2 + turn / 10)
        made.started(0, 0.2 + turn / 10)
        made.secured(0, 0.25 + turn / 10)
    ask(made, frames.INPUT_STATUS, NAK, 1.1)
    made.dropped(0, 1.1)
    assert made.due(1.1) == []


def test_another_key_no_secure_channel_and_a_refusal_are_told_in_words() -> None:
    cryptogram = Frame(0, True, frames.CLIENT_CRYPTOGRAM, b"\x03\x12\x01", bytes(32))
    plain = Frame(0, True, frames.CAPABILITY_LIST, b"", bytes((1, 1, 2, 9, 0, 0)))
    for code, reply, reason in (
        (frames.CHALLENGE, cryptogram, supervision.OTHER_KEY),
        (frames.CRYPTOGRAM, NAK, supervision.OTHER_KEY),
        (frames.CHALLENGE, NAK, supervision.UNWILLING),
        (frames.CAPABILITIES, plain, supervision.PLAIN_ONLY),
    ):
        made = started(2)
        ask(made, code, reply, 0.1)
        changes = made.dropped(0, 0.1)
        assert offline(changes) == [reason]
        assert Change(Turn.LINE_UP, None, "answers") in changes


def test_an_offline_reason_that_changes_is_told_again_and_the_same_is_not() -> None:
    made = started()
    cryptogram = Frame(0, True, frames.CLIENT_CRYPTOGRAM, b"\x03\x12\x01", bytes(32))
    for now, reply, expected in ((1.0, cryptogram, 1), (2.0, cryptogram, 0), (3.0, NAK, 1)):
        made.started(0, now)
        ask(made, frames.CHALLENGE, reply, now)
        assert len(offline(made.dropped(0, now))) == expected


def test_one_that_refuses_is_no_sign_of_a_dead_line() -> None:
    made = up(2)
    now, downs = 0.2, []
    while now < 20.0:
        now += 0.5
        made.started(0, now)
        ask(made, frames.CHALLENGE, NAK, now)
        made.dropped(0, now)
        downs += [c for c in made.missed(1, final=True, now=now)[1] if c.turn is Turn.LINE_DOWN]
    assert downs == []


def test_keys_that_protect_nothing_are_refused() -> None:
    assert supervision.unusable(None) == supervision.NO_KEY
    assert supervision.unusable(frames.DEFAULT_KEY) == supervision.KNOWN_KEY
    assert "8 bytes" in supervision.unusable(bytes(8))
    assert not supervision.unusable(bytes(range(16)))


def test_only_a_refusal_is_a_refusal() -> None:
    """A peripheral that is busy, or whose answer is missing, said no to nothing: it is asked again."""
    busy = Frame(0, True, 0x79, b"", b"")
    for reply in (ACK, busy, None):
        made = up()
        ask(made, frames.OUTPUT, reply, 1.0)
        assert made.refused(0) == ""
    made = up()
    ask(made, frames.OUTPUT, Frame(0, True, frames.NAK, b"\x02\x18", b""), 1.0)
    assert made.refused(0) == "the device says no", "why is not to be seen in secure channel"

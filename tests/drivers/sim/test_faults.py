"""Each fault does what its name says, as often as it was asked to, and the same for the same seed."""

import dataclasses

import pytest

from drivers.modbus.codec import crc16, rtu_frame
from drivers.sim.faults import NO_FAULTS, PRESETS, Faults, Injector, Piece

PDU = bytes((3, 4, 0x12, 0x34, 0x56, 0x78))
FRAME = rtu_frame(17, PDU)


def heard(pieces: list[Piece]) -> bytes:
    return b"".join(data for _, data in pieces)


def replies(faults: Faults, times: int = 300, seed: int = 1) -> list[list[Piece]]:
    injector = Injector(faults, seed=seed)
    return [injector.reply(injector.fate(), FRAME) for _ in range(times)]


def test_a_good_line_changes_nothing() -> None:
    injector = Injector()
    assert injector.request(FRAME) == FRAME
    assert injector.fate() is None
    assert injector.reply(None, FRAME) == [(0.0, FRAME)]
    assert injector.idle() is None
    assert not injector.echoes()
    assert not injector.counts


def test_flips_are_one_to_three_bits_and_no_crc_survives_them() -> None:
    flips = set()
    for pieces in replies(Faults(flip=1.0)):
        data = heard(pieces)
        assert crc16(data) != 0
        flips.add(sum((one ^ other).bit_count() for one, other in zip(data, FRAME, strict=True)))
    assert flips == {1, 2, 3}


def test_lost_bytes_are_lost() -> None:
    lengths = {len(FRAME) - len(heard(pieces)) for pieces in replies(Faults(lose=1.0))}
    assert lengths == {1, 2, 3}


def test_a_chopped_reply_is_whole_but_comes_with_pauses() -> None:
    for pieces in replies(Faults(chop=1.0)):
        assert heard(pieces) == FRAME
        assert 2 <= len(pieces) <= 4
        assert pieces[0][0] == 0.0
        assert all(0.0 <= pause <= 0.02 and data for pause, data in pieces)


def test_noise_stands_before_and_after_the_frame() -> None:
    for pieces in replies(Faults(noise_before=1.0, noise_after=1.0)):
        data = heard(pieces)
        at = data.index(FRAME)
        assert 1 <= at <= 6
        assert 1 <= len(data) - at - len(FRAME) <= 6


def test_header_noise_is_the_beginning_of_the_frame_twice() -> None:
    beginnings = {heard(pieces)[: -len(FRAME)] for pieces in replies(Faults(header_noise=1.0))}
    assert beginnings == {FRAME[:1], FRAME[:2], FRAME[:3]}


def test_idle_noise_comes_within_its_time() -> None:
    injector = Injector(Faults(idle_noise=1.0, idle_s=0.5))
    drawn = [injector.idle() for _ in range(100)]
    assert all(piece and 0.0 <= piece[0] <= 0.5 and piece[1] for piece in drawn)
    assert injector.counts["idle_noise"] == 100


@pytest.mark.parametrize(
    ("faults", "shortest", "longest"), [(Faults(delay=1.0), 0.0, 0.04), (Faults(late=1.0), 0.3, 1.5)]
)
def test_a_reply_waits_as_long_as_its_fault_says(faults: Faults, shortest: float, longest: float) -> None:
    injector = Injector(faults)
    waits = [injector.wait_s(injector.fate()) for _ in range(200)]
    assert max(waits) <= longest
    assert min(waits) >= shortest
    assert max(waits) - min(waits) > 0.02
    assert injector.wait_s("flip") == 0.0


def test_requests_are_damaged_on_their_way_too() -> None:
    losing, flipping = Injector(Faults(request_lose=1.0)), Injector(Faults(request_flip=1.0))
    for _ in range(50):
        assert len(losing.request(FRAME)) < len(FRAME)
        assert crc16(flipping.request(FRAME)) != 0
    assert losing.counts == {"request_lose": 50}
    assert flipping.counts == {"request_flip": 50}


@pytest.mark.parametrize(
    ("function", "wrong"), [(1, 2), (2, 1), (3, 4), (4, 3), (5, 6), (6, 5), (15, 16), (16, 15)]
)
def test_a_wrong_function_is_the_one_of_the_same_shape(function: int, wrong: int) -> None:
    injector = Injector()
    assert injector.forge("wrong_function", 9, bytes((function, 2, 0, 1))) == (9, bytes((wrong, 2, 0, 1)))
    assert injector.forge("wrong_function", 9, bytes((function | 0x80, 2))) == (9, bytes((wrong | 0x80, 2)))


def test_a_wrong_count_is_one_register_more_or_less_and_its_length_byte_agrees() -> None:
    injector = Injector()
    pdus = [injector.forge("wrong_count", 9, PDU)[1] for _ in range(100)]
    assert {len(pdu) for pdu in pdus} == {len(PDU) - 2, len(PDU) + 2}
    assert all(pdu[1] == len(pdu) - 2 for pdu in pdus)


def test_a_wrong_count_of_a_write_or_an_exception_is_another_number() -> None:
    injector = Injector()
    assert injector.forge("wrong_count", 9, bytes((6, 0, 1, 0, 2))) == (9, bytes((6, 0, 1, 0, 3)))
    assert injector.forge("wrong_count", 9, bytes((0x83, 2))) == (9, bytes((0x83, 3)))


def test_a_wrong_address_is_the_next_one_and_stays_legal() -> None:
    injector = Injector()
    assert injector.forge("wrong_address", 9, PDU) == (10, PDU)
    assert injector.forge("wrong_address", 247, PDU) == (1, PDU)
    assert injector.forge(None, 9, PDU) == (9, PDU)


def test_a_frame_has_one_fate_at_most_and_each_as_often_as_asked() -> None:
    injector = Injector(Faults(silent=0.1, late=0.2, flip=0.3), seed=5)
    fates = [injector.fate() for _ in range(10_000)]
    for name, chance in (("silent", 0.1), ("late", 0.2), ("flip", 0.3)):
        assert abs(fates.count(name) - 10_000 * chance) < 300
        assert injector.counts[name] == fates.count(name)
    assert fates.count(None) == 10_000 - sum(injector.counts.values())


def test_the_same_seed_gives_the_same_faults_and_another_one_others() -> None:
    everything = PRESETS["everything"]
    assert replies(everything, seed=3) == replies(everything, seed=3)
    assert replies(everything, seed=3) != replies(everything, seed=4)


def test_chances_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="add up to more than 1"):
        Faults(flip=0.6, lose=0.6)
    with pytest.raises(ValueError, match="chop is no chance"):
        Faults(chop=1.5)
    with pytest.raises(ValueError, match="noise_before is no chance"):
        dataclasses.replace(NO_FAULTS, noise_before=-0.1)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_but_none_makes_faults_and_lets_most_frames_pass(name: str) -> None:
    injector = Injector(PRESETS[name])
    fates = [injector.fate() for _ in range(1000)]
    assert (name == "none") == (not injector.counts)
    assert fates.count(None) > 600

"""The gate: every order that is not right is refused, for its own reason, and only a right one uses up anything."""

import dataclasses
import json
import re
from typing import Any

import pytest

from gateway.core.events import Clock, Place
from gateway.core.gate import CHECKS_AT_ONCE, Gate, Now, Order, Seen
from gateway.core.incoming import Incoming
from gateway.core.nonces import LIFE_S, Nonces
from gateway.core.roles import ROLES, may, reaches
from gateway.core.signed import LARGEST, Reason, RefusedError
from tests.orders import COMMITTEE, DESK, EVERYBODY, GATEWAY, NONCE, STRANGER, WARDEN, b64, hs256, unsigned

NOON = Now(wall=1_000.5, monotonic=50.0, clock=Clock.SYNCED)


class Door:
    """A gate with one nonce that a test knows. It was made at 50 s."""

    def __init__(self) -> None:
        drawn = iter([NONCE, *(f"other-nonce-{number:010d}" for number in range(10_000))])
        self.nonces = Nonces(lambda: next(drawn))
        self.nonces.renew(50.0)
        self.gate = Gate(GATEWAY, [each.table for each in EVERYBODY], self.nonces)

    def admit(self, content: bytes, now: Now = NOON, **envelope: Any) -> Order:
        return self.gate.admit(Incoming("command", content, **envelope), now, Seen())

    def refusal(self, content: bytes, now: Now = NOON, **envelope: Any) -> Reason:
        """Return why an order is refused."""
        with pytest.raises(RefusedError) as caught:
            self.admit(content, now, **envelope)
        return caught.value.reason

    def nonce_is_good(self) -> bool:
        return self.nonces.born(NONCE, 50.0) is not None


def test_a_good_order_is_let_in_with_all_it_says() -> None:
    order = Door().admit(DESK.order())
    assert (order.id, order.origin, order.target, order.action) == (
        "order-1",
        "remote:desk/warden-1",
        "door-1-1",
        "unlock",
    )
    assert (order.numbers, order.texts) == ({"seconds": 5.0}, {})
    assert order.deadline == 50.0 + 1_020 - 1_000.5


def test_an_order_keeps_its_numbers_and_its_texts_apart() -> None:
    order = Door().admit(DESK.order(arguments={"seconds": 5, "note": "for the plumber"}))
    assert (order.numbers, order.texts) == ({"seconds": 5.0}, {"note": "for the plumber"})


@pytest.mark.parametrize(
    ("jti", "shown"), [("order-1", "order-1"), ("a\x1b[2J", ""), ("x" * 65, ""), ("", "")]
)
def test_of_an_order_that_nobody_signed_only_a_clean_id_gets_into_the_audit(jti: str, shown: str) -> None:
    seen = Seen()
    with pytest.raises(RefusedError, match="signature"):
        Door().gate.admit(Incoming("c", STRANGER.sign(DESK.claims(jti=jti), kid="desk")), NOON, seen)
    assert seen.envelope is not None
    assert seen.envelope.id == shown


def test_a_refusal_shows_what_is_wrong_and_nothing_that_a_terminal_would_obey() -> None:
    with pytest.raises(RefusedError) as caught:
        Door().admit(DESK.sign({**DESK.claims(), "a\x1b[2J\nb": 1}))
    assert caught.value.reason is Reason.CLAIMS
    assert "a?[2J?b" in caught.value.detail


@pytest.mark.parametrize("clock", Clock)
def test_the_same_bytes_are_never_let_in_twice(clock: Clock) -> None:
    door, now = Door(), dataclasses.replace(NOON, clock=clock)
    door.admit(DESK.order(), now)
    assert door.refusal(DESK.order(), now) is Reason.NONCE


def test_a_nonce_of_an_earlier_life_is_no_nonce_of_this_one() -> None:
    earlier = Door()
    earlier.nonces.use(NONCE)
    assert earlier.refusal(DESK.order()) is Reason.NONCE


def test_a_nonce_ends_after_a_minute_whatever_the_time_of_day_says() -> None:
    late = Now(wall=1_000.5, monotonic=50.0 + LIFE_S, clock=Clock.SYNCED)
    assert Door().refusal(DESK.order(), late) is Reason.NONCE


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"aud": "/compound/other"}, Reason.AUDIENCE),
        ({"aud": "/compound/bench/"}, Reason.AUDIENCE),
        ({"aud": ["/compound/bench"]}, Reason.CLAIMS),
        ({"iat": 900, "exp": 1_000}, Reason.EXPIRED),
        ({"iat": 1_031, "exp": 1_051}, Reason.FUTURE),
        ({"iat": 1_000, "exp": 1_121}, Reason.CLAIMS),
        ({"iat": 1_000, "exp": 1_000}, Reason.CLAIMS),
        ({"iat": 1_000, "exp": 990}, Reason.CLAIMS),
        ({"iat": -5}, Reason.CLAIMS),
        ({"exp": 1e300}, Reason.CLAIMS),
        ({"exp": "1020"}, Reason.CLAIMS),
        ({"iss": "warden-2"}, Reason.CLAIMS),
        ({"sub": ""}, Reason.CLAIMS),
        ({"sub": "x" * 65}, Reason.CLAIMS),
        ({"sub": "warden\n-1"}, Reason.CLAIMS),
        ({"sub": "warden\u202e-1"}, Reason.CLAIMS),
        ({"jti": "a b"}, Reason.CLAIMS),
        ({"jti": "order-1\n"}, Reason.CLAIMS),
        ({"jti": "x" * 65}, Reason.CLAIMS),
        ({"target": "../door"}, Reason.CLAIMS),
        ({"target": "#"}, Reason.CLAIMS),
        ({"action": "Unlock"}, Reason.CLAIMS),
        ({"arguments": {"seconds": True}}, Reason.CLAIMS),
        ({"arguments": {"seconds": [5]}}, Reason.CLAIMS),
        ({"arguments": {"seconds": float("inf")}}, Reason.SHAPE),
        ({"arguments": {"seconds": float("nan")}}, Reason.SHAPE),
        ({"arguments": {f"a{number}": 1 for number in range(9)}}, Reason.CLAIMS),
        ({"arguments": {"note": "x" * 201}}, Reason.CLAIMS),
        ({"arguments": [5]}, Reason.CLAIMS),
        ({"more": 1}, Reason.CLAIMS),
        ({"nbf": 1_000}, Reason.CLAIMS),
        ({"action": "set_address"}, Reason.ROLE),
        ({"action": "reload", "target": GATEWAY}, Reason.ROLE),
        *(({claim: None}, Reason.CLAIMS) for claim in DESK.claims() if claim != "nonce"),
        ({"nonce": None}, Reason.SHAPE),
        ({"nonce": 5}, Reason.SHAPE),
        ({"nonce": "m" * 22}, Reason.NONCE),
    ],
)
def test_what_a_good_key_signs_is_still_looked_at(changed: dict[str, Any], reason: Reason) -> None:
    claims = {**DESK.claims(), **changed}
    content = DESK.sign({key: value for key, value in claims.items() if value is not None})
    assert Door().refusal(content) is reason


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"alg": "none"}, Reason.SHAPE),
        ({"alg": "HS256"}, Reason.SHAPE),
        ({"alg": "ES256"}, Reason.SHAPE),
        ({"alg": "eddsa"}, Reason.SHAPE),
        ({"alg": None}, Reason.SHAPE),
        ({"typ": "JWT"}, Reason.SHAPE),
        ({"typ": None}, Reason.SHAPE),
        ({"kid": None}, Reason.SHAPE),
        ({"kid": 1}, Reason.SHAPE),
        ({"crit": ["b64"], "b64": False}, Reason.SHAPE),
        ({"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}}, Reason.SHAPE),
        ({"jku": "https://evil.example/keys"}, Reason.SHAPE),
        ({"x5u": "https://evil.example/key"}, Reason.SHAPE),
        ({"kid": "nobody"}, Reason.KEY),
        ({"kid": ""}, Reason.KEY),
        ({"kid": "../../etc/passwd"}, Reason.KEY),
        ({"kid": "' OR 1=1 --"}, Reason.KEY),
        ({"kid": "warden-2"}, Reason.SIGNATURE),
    ],
)
def test_the_header_offers_no_choice(header: dict[str, Any], reason: Reason) -> None:
    assert Door().refusal(DESK.sign(DESK.claims(), **header)) is reason


def test_tokens_without_or_with_a_borrowed_signature_are_refused() -> None:
    door, claims = Door(), DESK.claims()
    raw = DESK.table.key.encode()
    assert door.refusal(unsigned(claims, "desk")) is Reason.SHAPE
    assert door.refusal(unsigned(claims, "desk", "A" * 86)) is Reason.SHAPE
    assert door.refusal(hs256(claims, raw, "desk")) is Reason.SHAPE
    assert door.refusal(STRANGER.sign(claims, kid="desk")) is Reason.SIGNATURE
    assert door.refusal(STRANGER.order()) is Reason.KEY
    good = DESK.order().decode()
    other = DESK.order(arguments={"seconds": 6}).decode()
    assert (
        door.refusal((good.rpartition(".")[0] + "." + other.rpartition(".")[2]).encode()) is Reason.SIGNATURE
    )
    assert door.nonce_is_good(), "nobody but a key may use a nonce up"
    door.admit(good.encode())


def test_no_byte_of_an_order_can_be_changed() -> None:
    good = DESK.order()
    reached = set()
    for position in range(len(good)):
        door = Door()
        for flipped in (good[position] ^ 1, good[position] ^ 0x20, good[position] ^ 0x80):
            reached.add(door.refusal(good[:position] + bytes([flipped]) + good[position + 1 :]))
        assert door.nonce_is_good()
    assert reached == {Reason.SHAPE, Reason.KEY, Reason.NONCE, Reason.SIGNATURE}


def test_no_order_has_a_second_spelling() -> None:
    """The last letter of 64 bytes in base64url has four bits that mean nothing: fifteen other letters decode alike."""
    door, good = Door(), DESK.order().decode()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for letter in alphabet.replace(good[-1], ""):
        assert door.refusal((good[:-1] + letter).encode()) in {Reason.SHAPE, Reason.SIGNATURE}
    for other in (good + "=", good + "\n", " " + good, good + "..", good.replace(".", "..")):
        assert door.refusal(other.encode()) is Reason.SHAPE


@pytest.mark.parametrize("size", [LARGEST + 1, 100_000])
def test_what_is_too_large_is_not_even_looked_at(size: int) -> None:
    assert Door().refusal(b"." * size) is Reason.SIZE


def test_a_deep_nest_is_no_way_in() -> None:
    for text in ("[" * 3_000, '{"nonce":' * 600, '{"a":' + "[" * 3_000):
        content = (
            f"{b64(json.dumps({'alg': 'EdDSA', 'typ': 'x', 'kid': 'desk'}).encode())}.{b64(text.encode())}"
        )
        assert Door().refusal(f"{content}.{'A' * 86}".encode()) is Reason.SHAPE


def test_a_retained_order_is_refused_before_it_is_read() -> None:
    assert Door().refusal(DESK.order(), retained=True) is Reason.RETAINED


def test_an_operator_gets_so_many_a_minute_and_others_are_not_touched() -> None:
    door = Door()
    table = dataclasses.replace(DESK).table
    door.gate = Gate(GATEWAY, [type(table)(name="desk", key=table.key, role="duty_room", per_minute=2),
                               WARDEN.table], door.nonces)  # fmt: skip
    pool = [text for text, _ in door.nonces.published(50.0)]
    for nonce in pool[:2]:
        door.admit(DESK.order(nonce=nonce))
    assert door.refusal(DESK.order(nonce=pool[2])) is Reason.RATE
    assert door.refusal(DESK.order(nonce="m" * 22)) is Reason.NONCE
    door.admit(WARDEN.order(nonce=pool[3]))
    half_a_minute_on = dataclasses.replace(NOON, wall=1_010.0, monotonic=80.0)
    door.nonces.renew(80.0)
    fresh, next_fresh = (text for text, _ in door.nonces.published(80.0)[:2])
    door.admit(DESK.order(nonce=fresh), half_a_minute_on)
    assert door.refusal(DESK.order(nonce=next_fresh), half_a_minute_on) is Reason.RATE


def test_a_stranger_with_a_live_nonce_gets_only_so_many_signatures_looked_at() -> None:
    door = Door()
    forged = STRANGER.sign(DESK.claims(), kid="desk")
    reasons = [door.refusal(forged) for _ in range(CHECKS_AT_ONCE + 100)]
    assert reasons.count(Reason.SIGNATURE) == CHECKS_AT_ONCE
    assert reasons.count(Reason.RATE) == 100
    a_second_on = dataclasses.replace(NOON, wall=1_001.5, monotonic=51.0)
    door.admit(DESK.order(), a_second_on)


# --- time -----------------------------------------------------------------------------------------


def test_with_a_trusted_clock_both_ends_of_an_orders_time_are_looked_at() -> None:
    assert Door().admit(DESK.order(iat=1_030, exp=1_050)).deadline == 50.0 + 49.5
    assert Door().refusal(DESK.order(iat=1_031, exp=1_050)) is Reason.FUTURE
    assert Door().admit(DESK.order(iat=900, exp=1_001)).deadline == 50.5
    assert Door().refusal(DESK.order(iat=900, exp=1_000)) is Reason.EXPIRED


@pytest.mark.parametrize("wall", [0.0, 1_000.5 - 365 * 86_400, 1_000.5 + 3_650 * 86_400])
def test_without_a_trusted_clock_an_order_is_no_older_than_it_may_become(wall: float) -> None:
    def at(monotonic: float) -> Now:
        return Now(wall=wall, monotonic=monotonic, clock=Clock.UNSYNCED)

    assert Door().admit(DESK.order(), at(55.0)).deadline == 70.0
    assert Door().admit(DESK.order(), at(69.9)).deadline == 70.0
    assert Door().refusal(DESK.order(), at(70.0)) is Reason.EXPIRED


@pytest.mark.parametrize("years", [-1, 1, 10])
def test_a_clock_that_is_trusted_and_wrong_never_lets_an_old_order_in(years: int) -> None:
    """Set back, it may take an expired order for a fresh one: its nonce ends all the same."""
    door = Door()
    door.admit(DESK.order())
    for monotonic in (51.0, 109.0, 111.0, 1e6):
        wrong = Now(1_000.5 + years * 365 * 86_400, monotonic, Clock.SYNCED)
        assert door.refusal(DESK.order(), wrong) is Reason.NONCE
    held_up, wrong = Door(), Now(1_000.5 + years * 365 * 86_400, 50.0 + LIFE_S, Clock.SYNCED)
    assert held_up.refusal(DESK.order(), wrong) is Reason.NONCE


# --- who may what, where --------------------------------------------------------------------------


def test_every_role_may_what_its_row_says_and_nothing_else() -> None:
    assert may(DESK.table, "unlock")
    assert not may(DESK.table, "set_address")
    assert may(WARDEN.table, "unlock")
    assert not may(WARDEN.table, "lock_down")
    assert not may(COMMITTEE.table, "unlock")
    assert all("set_address" not in allowed for name, allowed in ROLES.items() if name != "administrator")
    stranger = type(DESK.table)(name="x", key="", role="king")
    assert not may(stranger, "unlock")
    narrowed = type(DESK.table)(name="x", key="", role="administrator", allow=["acknowledge"])
    assert may(narrowed, "acknowledge")
    assert not may(narrowed, "unlock")


def test_a_key_for_one_building_reaches_what_lies_in_it_and_nothing_else() -> None:
    assert reaches(WARDEN.table, Place(compound="a", building="2", unit="1"))
    assert not reaches(WARDEN.table, Place(building="1"))
    assert not reaches(WARDEN.table, Place(building="22"))
    assert not reaches(WARDEN.table, Place()), "what is nowhere in particular is not in building 2"
    assert reaches(DESK.table, Place())
    empty = type(DESK.table)(name="x", key="", role="warden", places=[Place()])
    assert not reaches(empty, Place(building="1"))


def test_no_refusal_repeats_what_a_stranger_wrote() -> None:
    marker = "zzqq"
    for content in (
        DESK.sign(DESK.claims(), kid=marker),
        DESK.sign(DESK.claims(), typ=marker),
        marker.encode(),
        DESK.sign(DESK.claims(nonce=marker)),
    ):
        with pytest.raises(RefusedError) as caught:
            Door().admit(content)
        assert not re.search(marker, str(caught.value))

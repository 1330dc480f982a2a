"""A hundred thousand mutants of a good order: none opens anything, none leaves a trace of an exception."""

import asyncio
import json
import logging
import random

import pytest

from gateway.core.incoming import Incoming
from tests import virtual
from tests.gateway.services.test_remote import House
from tests.orders import DESK, STRANGER, b64

CASES = 100_000
SEED = 20_261_125


def mutant(good: bytes, chance: random.Random) -> bytes:
    """Return bytes that are nearly an order, or not at all."""
    made = bytearray(good)
    match chance.randrange(8):
        case 0:  # some bytes changed
            for _ in range(chance.randint(1, 4)):
                made[chance.randrange(len(made))] = chance.randrange(256)
        case 1:  # a piece cut out
            start = chance.randrange(len(made))
            del made[start : start + chance.randint(1, 60)]
        case 2:  # a piece put in
            at = chance.randrange(len(made))
            made[at:at] = chance.randbytes(chance.randint(1, 60))
        case 3:  # letters swapped within the alphabet
            for _ in range(chance.randint(1, 3)):
                made[chance.randrange(len(made))] = ord(chance.choice("ABCxyz019-_."))
        case 4:  # no order at all
            return chance.randbytes(chance.randint(0, 400))
        case 5:  # parts of it in another order
            parts = good.split(b".")
            chance.shuffle(parts)
            return b".".join(parts[: chance.randint(1, 3)])
        case 6:  # well-formed JSON of the wrong shape, signed by somebody else
            return STRANGER.sign({"nonce": odd(chance), "jti": odd(chance), "x": odd(chance)}, kid="desk")
        case _:  # a header of any shape
            return f"{b64(json.dumps(odd(chance)).encode())}.{good.decode().partition('.')[2]}".encode()
    return bytes(made)


def odd(chance: random.Random, depth: int = 0) -> object:
    """Return any JSON value."""
    simple = (None, True, -1, 1e308, 2**70, "", "\u0000", "EdDSA", "n" * 22, "\ud83d\ude00" * 9)
    if depth > 3 or chance.random() < 0.5:
        return chance.choice(simple)
    if chance.random() < 0.5:
        return [odd(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {str(chance.choice(("alg", "typ", "kid", "nonce", "x"))): odd(chance, depth + 1) for _ in range(3)}


@pytest.mark.slow
def test_a_hundred_thousand_mutants_open_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> House:
        house = House()
        task = asyncio.create_task(house.remote.run(), name="remote")
        await asyncio.sleep(0.01)
        chance, good = random.Random(SEED), house.order()
        for number in range(CASES):
            if number % 250 == 0:  # nonces live for a minute
                good = house.order(jti=f"order-{number}")
            case = mutant(good, chance)
            if case != good:
                house.remote.heard(Incoming("command", case))
            if number % 50 == 0:
                await asyncio.sleep(2.0)  # signatures are looked at again
        assert house.remote.statistics().refused >= CASES * 0.99
        assert house.moved == []
        await house.give(house.order(DESK, jti="good"))
        task.cancel()
        await asyncio.wait([task])
        return house

    with caplog.at_level(logging.WARNING):
        house = virtual.run(main())
    assert len(house.moved) == 1
    assert caplog.text == ""

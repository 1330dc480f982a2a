"""Killed with an order in hand: afterwards the record says truthfully what is known, and no door opens twice."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.broker import needs_mosquitto, until
from tests.faults import victim
from tests.orders import DESK
from tests.whole.orders import afar

pytestmark = needs_mosquitto
UNKNOWN = "the gateway stopped before it knew what came of it"


@contextmanager
def living(
    context: "multiprocessing.context.ForkServerContext", file: Path, point: str = ""
) -> Iterator[None]:
    """Have a gateway that dies at `point`, if one is named, and in peace otherwise."""
    process = victim.start(context, file, point)
    try:
        yield
        if point:
            process.join(10)
            assert process.exitcode == -9, f"{point} was never reached"
    finally:
        process.terminate()
        process.join(10)


@pytest.mark.parametrize(
    ("point", "moved"),
    [("commanding.before_act", False), ("commanding.after_act", True)],
)
def test_a_kill_with_an_order_in_hand_is_told_as_it_was_and_the_door_opens_once_at_most(
    tmp_path: Path, point: str, moved: bool
) -> None:
    context = victim.warm()
    file = tmp_path / "gateway.toml"
    with afar(tmp_path) as far:
        file.write_text(far.street.text, encoding="utf-8")
        with living(context, file):
            until(lambda: far.street.state("door-1-1").get("online"), what="the door online")
        pool = far.nonces()
        with living(context, file, point):
            far.fresh(pool)
            claims = far.claims(DESK, arguments={"seconds": 1})
            order = DESK.sign(claims)
            far.give(order)
        assert far.strike() is moved
        pool = far.nonces()
        with living(context, file):
            outcome = far.outcome(claims["jti"])
            assert (outcome["data"]["result"], outcome["data"]["detail"]) == ("unknown", UNKNOWN)
            assert outcome["data"]["origin"] == "remote:desk/warden-1"
            far.fresh(pool)
            until(lambda: not far.strike(), what="the strike falls")
            far.give(order)
            until(lambda: len(far.outcomes(claims["jti"])) == 2, what="the refusal")
            assert far.outcomes(claims["jti"])[1]["data"]["detail"].startswith("nonce:")
            far.give(DESK.sign(claims | {"nonce": far.nonces()[0]}))
            until(lambda: len(far.outcomes(claims["jti"])) == 3, what="the old outcome again")
            assert far.outcomes(claims["jti"])[2]["id"] == outcome["id"]
            assert not far.strike()

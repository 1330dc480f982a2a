"""Somebody who gives orders to a whole gateway from the other side of a real broker."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tests.broker import until
from tests.orders import EVERYBODY, GATEWAY, Operator
from tests.whole.street import Street, street

COMMAND = f"compound/v1/{GATEWAY}/command"
_numbers = count(1)


@dataclass
class Afar:
    """A street, and operators who know the keys of its gateway."""

    street: Street

    def pool(self) -> dict[str, Any]:
        """Return what was told of nonces last."""
        heard = [each for each in self.street.far_end.on("/nonce") if each.content]
        told: dict[str, Any] = json.loads(heard[-1].content) if heard else {}
        return told

    def nonces(self) -> list[str]:
        """Return the nonces that were published last."""
        return [each["nonce"] for each in self.pool().get("nonces", [])]

    def fresh(self, before: object = None) -> str:
        """Return a nonce that is good now; not of the pool that was published `before`."""
        until(lambda: self.nonces() and self.nonces() != before, what="a nonce")
        return self.nonces()[0]

    def claims(self, operator: Operator, **changed: Any) -> dict[str, Any]:
        """Return claims that are good just now."""
        now = int(time.time())
        usual = {"iat": now, "exp": now + 20, "jti": f"order-{next(_numbers)}"}
        if "nonce" not in changed:
            usual["nonce"] = self.fresh()
        return operator.claims(**(usual | changed))

    def give(self, order: bytes, *, retain: bool = False) -> None:
        """Publish an order."""
        self.street.far_end.publish(COMMAND, order, retain=retain)

    def outcomes(self, subject: str = "") -> list[dict[str, Any]]:
        """Return the outcomes that came, of one order or of all."""
        events = [json.loads(heard.content) for heard in self.street.far_end.on("/outcome")]
        return [event for event in events if subject in {"", event["subject"]}]

    def outcome(self, subject: str, result: str = "") -> dict[str, Any]:
        """Return the outcome of an order when it has come."""

        def found() -> list[dict[str, Any]]:
            return [each for each in self.outcomes(subject) if result in {"", each["data"]["result"]}]

        try:
            until(found, what=f"the outcome of {subject}")
        except AssertionError as error:
            error.add_note(f"what came: {self.outcomes(subject)}; the pool: {self.pool()}")
            raise
        return found()[-1]

    def order(self, operator: Operator, **changed: Any) -> dict[str, Any]:
        """Give a good order, but for what is changed, and return its outcome."""
        pool = self.nonces()
        claims = self.claims(operator, **changed)
        self.give(operator.sign(claims))
        outcome = self.outcome(claims["jti"])
        if "nonce" not in changed and outcome["data"]["origin"] != "unverified":
            until(lambda: self.nonces() != pool, what="the used nonce replaced")
        return outcome

    def strike(self, door: str = "door-1-1") -> bool:
        """Return whether a door's strike is drawn."""
        return bool(self.street.sim.tell(f"get {door}")["points"]["strike"])


@contextmanager
def afar(folder: Path) -> Iterator[Afar]:
    """Have a street whose gateway, once there is one, takes orders."""
    with afar_of(folder) as far:
        yield far


@contextmanager
def afar_of(folder: Path, *compound: str, topics: tuple[str, ...] = ()) -> Iterator[Afar]:
    """Have such a street around a compound of a test's own."""
    with street(folder, *compound, topics=topics) as around:
        around.text += "".join(operator.toml for operator in EVERYBODY)
        yield Afar(around)

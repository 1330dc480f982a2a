"""What an answer means: success is the service's own word for it, and a refusal is final or not.

A bot answers 200 to a page it refuses and says why in a number; `answers.toml` knows the numbers and says what to do.
A refusal by what was sent is final, one by the moment is not; what nobody knows may be tried again.
"""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import msgspec

from gateway.core.events import Words
from gateway.desk.senders.posting import Answer, Request, post
from gateway.desk.sending import Delivered, Rejected, Result

AGAIN: Final = frozenset({408, 425, 429})
NO_JSON: Final = "no_json"


class Meaning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one refusal means. `again`: the same page may be taken later."""

    zh: str
    en: str
    again: bool = False

    @property
    def words(self) -> Words:
        """Return its words."""
        return Words(self.zh, self.en)


@dataclass(frozen=True, slots=True)
class Sign:
    """What an answer that means success has in it: `key` with `value`; no key: any 2xx. `service`: whose refusals."""

    service: str = ""
    key: str = ""
    value: str | int | bool | None = None


async def ask(asked: Request, sign: Sign) -> Result:
    """Post it and return what came of it."""
    answer = await post(asked)
    return judge(answer, sign) if isinstance(answer, Answer) else answer


def judge(answer: Answer, sign: Sign) -> Result:
    """Return what an answer means."""
    good = answer.status // 100 == 2
    if good and not sign.key:
        return Delivered(answer.said)
    told = _decoded(answer.body)
    if sign.key and told is not None and sign.key in told:
        found = told[sign.key]
        if good and found == sign.value and type(found) is type(sign.value):
            return Delivered(str(told.get("id", answer.said)))
        if means := meaning(sign.service, found):
            return Rejected(answer.said, means.again, means.words)
    if not good:
        means = meaning("http", answer.status)
        again = answer.status >= 500 or answer.status in AGAIN
        return Rejected(f"{answer.status}: {answer.said}", again, means.words if means else None)
    if told is None:
        means = meaning("http", NO_JSON)
        return Rejected(f"no JSON: {answer.said}", retryable=True, means=means.words if means else None)
    return Rejected(answer.said, retryable=True)


def meaning(service: str, code: object) -> Meaning | None:
    """Return what a service's number means; None if nobody knows."""
    return None if isinstance(code, bool) else meanings().get(service, {}).get(str(code))


@functools.cache
def meanings() -> Mapping[str, Mapping[str, Meaning]]:
    """Return all that is known. The file is part of the code: it is read as an import is."""
    text = resources.files("gateway.desk.senders").joinpath("answers.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, dict[str, Meaning]])


def _decoded(body: bytes) -> Mapping[str, Any] | None:
    try:
        told: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    return told if isinstance(told, dict) else None

"""Who a message in a group is for, and how much of a text a service takes. Pure.

An address at a group bot is a mobile number, a name the service has for somebody, `@all`, or nothing: the message is
for the group.
"""

import re
from dataclasses import dataclass
from typing import Final

EVERYBODY: Final = "@all"
_MOBILE = re.compile(r"\+?[0-9]{6,15}")


@dataclass(frozen=True, slots=True)
class Whom:
    """At most one of these is set."""

    mobile: str = ""
    name: str = ""
    everybody: bool = False


def whom(address: str) -> Whom:
    """Return who is meant by an address."""
    told = address.strip()
    if told == EVERYBODY:
        return Whom(everybody=True)
    return Whom(mobile=told) if _MOBILE.fullmatch(told) else Whom(name=told)


def cut(text: str, most: int) -> str:
    """Return as much of a text as `most` bytes of UTF-8 hold, never half a character; an ellipsis says it was cut."""
    data = text.encode()
    if len(data) <= most:
        return text
    ellipsis = "…"
    return data[: most - len(ellipsis.encode())].decode("utf-8", "ignore") + ellipsis

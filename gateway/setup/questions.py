"""What an answer may be and what it means: ids, places, names, lines, products. Pure.

Each check takes what was typed and returns it as it is kept; what it cannot be raises WrongError, whose key names the
words in words.toml. A place is "building/unit/floor", any of them empty: going up the stairs, the next one is the last
one moved as the last one was moved, so that one key does.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from gateway.core.config import BROKER_SCHEMES
from gateway.core.consistency import ID
from gateway.setup.found import Device

LONGEST_TEXT: Final = 64
PLACE_PARTS: Final = 3
SKIP: Final = "x"
NOWHERE: Final = "//"
FIRST_PLACE: Final = "1/1/1"
AGAIN: Final = "r"
YES: Final = ("y", "yes", "j", "是", "好")
NO: Final = ("n", "no", "否", "不")
_SCHEME: Final = re.compile(r"([a-z]+)://\S+")
_NUMBER: Final = re.compile(r"-?[0-9]{1,3}")


class WrongError(Exception):
    """An answer that will not do; `key` names the words that say why, `values` fill them in."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key, values)
        self.key, self.values = key, values


def text(told: str) -> str:
    """Return a text for people: short, and nothing in it that does not print."""
    if len(told) > LONGEST_TEXT or not told.isprintable():
        raise WrongError("setup.wrong_text", most=LONGEST_TEXT)
    return told


def path(told: str) -> str:
    """Return a file's name."""
    if not told.isprintable():
        raise WrongError("setup.wrong_text", most=LONGEST_TEXT)
    return told


def needed(told: str) -> str:
    """Return a text that may not be empty."""
    if not told:
        raise WrongError("setup.wrong_empty")
    return text(told)


def identity(told: str) -> str:
    """Return an id as gateways have them."""
    if not ID.fullmatch(told):
        raise WrongError("setup.wrong_id")
    return told


def suggested_id(host: str) -> str:
    """Return an id made of the machine's name; empty where that says nothing."""
    slug = re.sub(r"[^a-z0-9]+", "-", host.lower()).strip("-")[:32]
    return "" if slug in {"localhost", "raspberrypi", "debian"} else slug


def yes(told: str) -> str:
    """Return "y" or "n"."""
    if told.lower() in YES:
        return "y"
    if told.lower() in NO:
        return "n"
    raise WrongError("setup.wrong_yes")


def again(told: str) -> str:
    """Return "r" for another look, nothing to go on."""
    if told.lower() not in {"", AGAIN}:
        raise WrongError("setup.wrong_again")
    return told.lower()


def lines(told: str, ports: Sequence[str]) -> str:
    """Return which ports are looked at, blanks between them: numbers of the list, "all", or ports typed in full."""
    chosen: list[str] = []
    for word in told.replace(",", " ").split():
        if word == "all":
            chosen += ports
        elif word.isdecimal() and 1 <= int(word) <= len(ports):
            chosen.append(ports[int(word) - 1])
        elif word.startswith(("/", "socket://")):
            chosen.append(word)
        else:
            raise WrongError("setup.wrong_line", told=word)
    return " ".join(dict.fromkeys(chosen))


def product(told: str, names: Sequence[str]) -> str:
    """Return the product meant: a number of the list, or a name."""
    if told.isdecimal() and 1 <= int(told) <= len(names):
        return names[int(told) - 1]
    if told in names:
        return told
    raise WrongError("setup.wrong_product", most=len(names))


def next_place(history: Sequence[str]) -> str:
    """Return where the next device probably is: the last one's place, moved as that one was from the one before."""
    known = [place for place in history if place not in {SKIP, NOWHERE}]
    if not known:
        return FIRST_PLACE
    return moved(known[-1], _step(known[-2], known[-1]) if len(known) > 1 else 0)


def place(told: str, last: str) -> str:
    """Return a place: + and - are a floor up and down from `last`, = is there, a number another floor of it.

    "." is no place in a building, "x" that the device shall be left out.
    """
    if told in {SKIP, "="}:
        return SKIP if told == SKIP else last
    if told in {"+", "-"}:
        return moved(last, 1 if told == "+" else -1)
    if told == ".":
        return NOWHERE
    if _NUMBER.fullmatch(told):
        return "/".join((*last.split("/")[:2], told))
    parts = [part.strip() for part in told.split("/")]
    if (
        not told
        or len(parts) > PLACE_PARTS
        or not all(map(str.isprintable, parts))
        or len(told) > LONGEST_TEXT
    ):
        raise WrongError("setup.wrong_place")
    return "/".join([*parts, "", ""][:PLACE_PARTS])


def moved(where: str, floors: int) -> str:
    """Return the place so many floors above; there is no floor 0. A floor that is no number stays."""
    *below, floor = where.split("/")
    if not floors or not _NUMBER.fullmatch(floor):
        return where
    there = int(floor) + floors
    return "/".join((*below, str(there or (1 if floors > 0 else -1))))


def _step(before: str, after: str) -> int:
    """Return by how many floors one went, if by one, in the same staircase."""
    return next((step for step in (1, -1) if before != after and moved(before, step) == after), 0)


def line_name(told: str, taken: Collection[str]) -> str:
    """Return what a line is called, which no other line may be."""
    if told in taken:
        raise WrongError("setup.wrong_taken", name=told)
    return identity(told)


def free(wanted: Iterable[str], taken: Collection[str]) -> str:
    """Return the first of these names that nobody has."""
    return next(each for each in wanted if each not in taken)


def called(told: str, taken: Collection[str]) -> str:
    """Return how a device is called; what could be its name must not be another's."""
    if told in taken:
        raise WrongError("setup.wrong_taken", name=told)
    return text(told)


def device_name(device: Device, where: str, line: int, taken: Collection[str]) -> str:
    """Return a name that nobody has yet: smoke-2-1-3, or smoke-l1-7 where there is no place."""
    parts = [re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in where.split("/")]
    if not any(parts):
        parts = [f"l{line}", str(device.address)]
    name = "-".join((device.category or "device", *filter(None, parts)))[:28].rstrip("-")
    return free((name, *(f"{name}-{number}" for number in range(2, 1000))), taken)


def broker(told: str) -> str:
    """Return a broker's address, or nothing; one without a scheme means TLS."""
    if not told:
        return ""
    whole = told if "://" in told else f"mqtts://{told}"
    match = _SCHEME.fullmatch(whole)
    if match is None or match[1] not in BROKER_SCHEMES or "@" in whole or not whole.isprintable():
        raise WrongError("setup.wrong_broker", schemes=", ".join(f"{each}://" for each in BROKER_SCHEMES))
    return whole


def after_refusal(told: str) -> str:
    """Return what to do about a broker that will not have us: again, change, keep."""
    for word in ("again", "change", "keep"):
        if told and word.startswith(told.lower()):
            return word
    raise WrongError("setup.wrong_choice")

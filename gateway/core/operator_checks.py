"""What `[[operator]]` tables must be: names, keys that are keys, roles there are, places that name something. Pure."""

import re
from collections.abc import Hashable, Iterator
from typing import Final

from drivers.api import Text
from gateway.core import place_checks
from gateway.core.base64url import decoded
from gateway.core.config import OperatorTable
from gateway.core.events import Place
from gateway.core.faults import Fault, near, one_of, shown
from gateway.core.loading import Parsed
from gateway.core.roles import EVERYTHING, ROLES

NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
ACTION: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
LARGEST_RATE: Final = 600

KEY_WANTED: Final = Text(
    "Ed25519 公钥，32 字节的 base64url（43 个字符）",
    "an Ed25519 public key, 32 bytes in base64url (43 characters)",
)
KEYGEN: Final = Text(
    "用 compound-gateway sign keygen NAME 生成", "`compound-gateway sign keygen NAME` makes one"
)

# Points of small order: with one of these as a key anybody can sign (Chalkias, Garillot, Nikolaenko, "Taming the many
# EdDSAs", 2020, table 1). Given without the sign bit, little end first.
_WEAK: Final = frozenset(
    bytes.fromhex(text)
    for text in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)

Faults = Iterator[Fault]


def check(parsed: Parsed) -> Faults:
    """Yield everything that is wrong with the operators."""
    names: dict[Hashable, str] = {}
    keys: dict[Hashable, str] = {}
    for key, table in parsed.operators.items():
        yield from _operator(key, table, parsed)
        yield from _first(f"{key}.name", table.name, names, shown(table.name))
        data = key_bytes(table.key)
        if data is not None:
            found = Text("同一个公钥", "the same key")
            yield from _first(f"{key}.key", data, keys, found)
    if parsed.operators and parsed.mqtt is None and not parsed.faults:
        found = Text("有操作员，却没有 [mqtt]", "operators, but no [mqtt]")
        wanted = Text("命令要经 [mqtt] 的代理送来", "the broker of [mqtt]: that is how orders come")
        yield Fault("operator", found, wanted, warning=True)


def key_bytes(text: str) -> bytes | None:
    """Return the 32 bytes of a public key that can be trusted; None for anything else."""
    try:
        data = decoded(text.encode())
    except ValueError:
        return None
    return None if len(data) != 32 or _is_weak(data) else data


def _operator(key: str, table: OperatorTable, parsed: Parsed) -> Faults:
    if not NAME.fullmatch(table.name):
        wanted = Text("1 到 64 个字母、数字、点、横线", "1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'")
        yield Fault(f"{key}.name", shown(table.name), wanted)
    if key_bytes(table.key) is None:
        yield Fault(f"{key}.key", _found(table.key), KEY_WANTED, KEYGEN)
    if table.role not in ROLES:
        yield Fault(f"{key}.role", shown(table.role), one_of(ROLES), near(table.role, ROLES))
    if not 1 <= table.per_minute <= LARGEST_RATE:
        wanted = Text(f"1 到 {LARGEST_RATE}", f"1 to {LARGEST_RATE}")
        yield Fault(f"{key}.per_minute", shown(table.per_minute), wanted)
    for index, place in enumerate(table.places):
        if place == Place():
            wanted = Text('例如 { building = "2" }', 'a place like { building = "2" }')
            hint = Text("不写 places 就是整个院子", "leave places out for the whole compound")
            yield Fault(f"{key}.places[{index}]", Text("一个空的地点", "an empty place"), wanted, hint)
        else:
            yield from place_checks.check(f"{key}.places[{index}]", place, parsed)
    for index, action in enumerate(table.allow):
        if action != EVERYTHING and not ACTION.fullmatch(action):
            wanted = Text("动作名，如 unlock", "the name of an action, like unlock")
            yield Fault(f"{key}.allow[{index}]", shown(action), wanted)


def _found(text: str) -> Text:
    """Return what was found in place of a key. It may be a private one by mistake, so it is never shown."""
    if "PRIVATE" in text:
        return Text("一个私钥，它只属于操作员", "a private key: that belongs to the operator alone")
    data = text.encode()
    if len(data) == 43:
        return Text("一个谁都能用来签名的弱公钥，或不是 base64url", "a weak key, or no base64url")
    return Text(f"{len(text)} 个字符", f"{len(text)} characters")


def _is_weak(data: bytes) -> bool:
    return data[:31] + bytes([data[31] & 0x7F]) in _WEAK


def _first(key: str, value: Hashable, taken: dict[Hashable, str], found: Text) -> Faults:
    if value in taken:
        told = Text(f"{found.zh}，{taken[value]} 已经用了", f"{found.en} as {taken[value]}")
        yield Fault(key, told, Text("没有被用过的", "one that is not taken"))
    taken.setdefault(value, key)

"""What is wrong with an `[[operator]]` is said in words that teach, and a private key is never shown back."""

import pytest

from gateway.core import consistency, loading, operator_checks
from gateway.core.faults import Fault
from tests.orders import DESK, WARDEN

GOOD = DESK.table.key


def faults(name: str = "desk", key: str = GOOD, role: str = "duty_room", more: str = "") -> list[Fault]:
    operator = f'[[operator]]\nname = "{name}"\nkey = "{key}"\nrole = "{role}"\n{more}'
    parsed = loading.parse(f'[gateway]\nid = "a"\n[mqtt]\nurl = "mqtt://x"\n{operator}')
    assert parsed.faults == []
    return list(operator_checks.check(parsed))


def test_a_good_operator_has_no_fault() -> None:
    assert faults(more='places = [{ building = "2" }]\nallow = ["unlock", "*"]') == []


@pytest.mark.parametrize(
    ("parts", "key", "words"),
    [
        ({"name": "a b"}, "operator[0].name", "1 to 64 of"),
        ({"key": "abc"}, "operator[0].key", "found 3 characters"),
        ({"key": GOOD + "="}, "operator[0].key", "sign keygen"),
        ({"key": GOOD[:-1] + "_"}, "operator[0].key", "no base64url"),
        ({"key": "A" * 43}, "operator[0].key", "a weak key"),
        ({"role": "duty-room"}, "operator[0].role", "did you mean duty_room?"),
        ({"more": "per_minute = 0"}, "operator[0].per_minute", "1 to 600"),
        ({"more": "places = [{}]"}, "operator[0].places[0]", "leave places out"),
        ({"more": 'allow = ["Unlock"]'}, "operator[0].allow[0]", "like unlock"),
        ({"more": f'[[operator]]\nname = "desk"\nkey = "{WARDEN.table.key}"\nrole = "warden"'},
         "operator[1].name", "as operator[0].name"),
        ({"more": f'[[operator]]\nname = "other"\nkey = "{GOOD}"\nrole = "warden"'},
         "operator[1].key", "the same key as operator[0].key"),
    ],
)  # fmt: skip
def test_each_slip_has_its_fault(parts: dict[str, str], key: str, words: str) -> None:
    (fault,) = faults(**parts)
    assert fault.key == key
    assert words in str(fault)


def test_a_private_key_put_there_by_mistake_is_not_shown() -> None:
    secret = "-----BEGIN PRIVATE KEY----- MC4CAQAwBQYDK2VwBCIEIAAA -----END PRIVATE KEY-----"
    (fault,) = faults(key=secret)
    assert "a private key" in str(fault)
    assert "MC4" not in str(fault)


def test_operators_without_a_broker_are_told_that_nobody_will_hear_them() -> None:
    parsed = loading.parse(
        f'[gateway]\nid = "a"\n[[operator]]\nname = "desk"\nkey = "{GOOD}"\nrole = "police"'
    )
    (fault,) = operator_checks.check(parsed)
    assert fault.warning


def test_the_whole_configuration_is_checked_for_them() -> None:
    parsed = loading.parse(f'[gateway]\nid = "a"\n[[operator]]\nname = "desk"\nkey = "{GOOD}"\nrole = "king"')
    assert "operator[0].role" in {fault.key for fault in consistency.check(parsed)}

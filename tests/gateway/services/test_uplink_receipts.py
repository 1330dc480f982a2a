"""Receipts come from outside: the right ones are read, everything else is turned away with one error."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.services.uplink.receipts import LARGEST, Receipt, ReceiptError, decode


def test_the_receipt_of_the_contract_is_read() -> None:
    assert decode(b'{"epoch": 1, "stored": [[1040, 1042], [1045, 1045]]}') == Receipt(
        1, [(1040, 1042), (1045, 1045)]
    )


def test_what_a_later_version_adds_is_ignored() -> None:
    assert decode(b'{"epoch": 1, "stored": [], "desk": "east"}') == Receipt(1, [])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"epoch": 1}',
        b'{"epoch": 0, "stored": []}',
        b'{"epoch": 1, "stored": [[1]]}',
        b'{"epoch": 1, "stored": [[1, 2, 3]]}',
        b'{"epoch": 1, "stored": [[2, 1]]}',
        b'{"epoch": 1, "stored": [[-1, 1]]}',
        b'{"epoch": 1, "stored": [[1, 1e999]]}',
        b'{"epoch": true, "stored": []}',
        b'{"epoch": 1, "stored": [[1, 2]]} trailing',
        b'\xff\xfe{"epoch"',
        b"[" * 60_000,
        json.dumps({"epoch": 1, "stored": [[1, 1]] * 1_001}).encode(),
        b'{"epoch": 1, "stored": []}' + b" " * LARGEST,
    ],
)
def test_what_is_no_receipt_is_turned_away(data: bytes) -> None:
    with pytest.raises(ReceiptError):
        decode(data)


@given(st.binary(max_size=200))
def test_garbage_gives_a_receipt_or_the_one_error(data: bytes) -> None:
    with contextlib.suppress(ReceiptError):
        decode(data)

"""UUID version 7, against the vector of RFC 9562."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.uuid7 import RANDOM_BITS, uuid7


def test_the_vector_of_the_standard() -> None:
    """RFC 9562, appendix A.6: 017F22E2-79B0-7CC3-98C4-DC0C0C07398F of Tuesday, February 22, 2022 2:22:22 PM."""
    random_bits = 0xCC3 << 62 | 0x18C4DC0C0C07398F
    assert uuid7(0x017F22E279B0, random_bits) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**RANDOM_BITS - 1))
def test_every_one_is_of_version_7_and_variant_rfc(time_ms: int, random_bits: int) -> None:
    made = uuid.UUID(uuid7(time_ms, random_bits))
    assert (made.version, made.variant, made.int >> 80) == (7, uuid.RFC_4122, time_ms)


@given(st.integers(0, 2**48 - 2), st.integers(0, 2**80), st.integers(0, 2**80))
def test_a_later_one_sorts_after(time_ms: int, first: int, second: int) -> None:
    assert uuid7(time_ms, first) < uuid7(time_ms + 1, second)

"""Which line a key stands on."""

import pytest

from gateway.core.toml_lines import key_lines, line_of

TEXT = """\
title = 1
[gateway]
id = "a"   # comment
place = { building = "2" }
[[bus]]
name = "x"
[[bus.device]]
name = "y"
[bus.device.rules."fire.smoke"]
reads = 3
[[bus.device]]
name = "z"
[[bus]]   # the second
[[bus.device]]
address = 4
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("title", 1),
        ("gateway.id", 3),
        ("gateway.place.building", 4),
        ("bus[0].name", 6),
        ("bus[0].device[0].name", 8),
        ("bus[0].device[1].name", 12),
        ("bus[1].device[0].address", 15),
        ("bus[1].device[0].profile", 14),
        ("bus[1].name", 13),
        ("mqtt", None),
    ],
)
def test_a_key_is_found_on_its_line_or_at_its_table(key: str, line: int | None) -> None:
    assert line_of(key, key_lines(TEXT)) == line

"""The machine: what an earlier life left wrong."""

import msgspec

from gateway.core import kinds
from gateway.machine import left_wrong
from tests.events import alert_body


def test_what_a_gateway_told_under_another_id_is_told_anew() -> None:
    hot, dark = (
        msgspec.structs.replace(alert_body(1, kind=kind), key=f"{kind}/{name}")
        for kind, name in (("gateway.hot", "gw-old"), ("gateway.undervoltage", "gw"))
    )
    assert left_wrong([hot, dark], kinds.built_in(), "gw") == ["power"]

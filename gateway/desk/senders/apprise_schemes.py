"""Which of Apprise's schemes the desk takes: not those of which it believes a refusal. Pure, and without Apprise.

Measured: these answer 200 with their refusal in the body, and Apprise (of some version that the extra allows) looks at
the 200 only. For most the desk has a sender of its own, named here.
"""

from collections.abc import Mapping
from typing import Final

from drivers.api import Text
from gateway.core.faults import same

PERSON: Final = "{to}"
REFUSED: Final[Mapping[str, str]] = {
    "dingtalk": "dingtalk",
    "wecombot": "wecom",
    "feishu": "feishu",
    "lark": "feishu",
    "bark": "bark",
    "barks": "bark",
    "schan": "",
    "pushdeer": "",
    "pushdeers": "",
    "pushme": "",
    "chanify": "",
    "qq": "",
}
"""By scheme: the kind the desk has itself, "" where it has none."""


def scheme_of(url: str) -> str:
    """Return the scheme of an address; "" where it has none."""
    scheme, found, _ = url.partition("://")
    return scheme.lower() if found else ""


def refusal(url: str) -> tuple[Text, Text] | None:
    """Return why an address is not taken, and what to do; None where it is."""
    scheme = scheme_of(url)
    if not scheme.isalnum():
        return Text("没有 方案://", "no scheme://"), Text(
            "一行 Apprise 地址", "one line with an address of Apprise's"
        )
    if scheme not in REFUSED:
        return None
    why = Text(
        f"{scheme}://，Apprise 会把它的拒绝当作成功",
        f"{scheme}://, of which Apprise takes a refusal for success",
    )
    own = REFUSED[scheme]
    return why, same(f'kind = "{own}"') if own else Text("别的服务", "another service")

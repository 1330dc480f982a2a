"""The words of a page: how bad, what and where, how many more, and that nobody has answered yet. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from gateway.core.events import Words
from gateway.desk.ladders import Standing

LONGEST: Final = 400
SPELT_OUT: Final = 3

_BAD: Final = (("提示", "Info"), ("一般", "Minor"), ("重要", "Major"), ("紧急", "Critical"))

_TABLES: Final = {
    "alerts": ("告警", "alerts"),
    "events": ("告警经过", "steps of alerts"),
    "work": ("告警处理", "alerts' handling"),
    "timers": ("升级计时", "escalations"),
    "notifications": ("通知", "pages"),
    "phones": ("手机", "phones"),
    "audit": ("操作记录", "what people did"),
    "silences": ("静音", "silences"),
    "assets": ("设备台账", "devices"),
    "news": ("页面消息", "news for pages"),
}
"""Tables whose loss somebody may have to do something about; the others go by their own name."""


def page(standing: Standing, step: int, *, news: bool = False) -> Words:
    """Return what somebody is told about an incident at a step of its ladder."""
    zh, en = _BAD[standing.rank]
    more = standing.waiting - 1
    parts_zh, parts_en = [f"【{zh}】{standing.zh}"], [f"{en}: {standing.en}"]
    if more > 0:
        parts_zh.append(f"同类未确认的还有 {more} 条")
        parts_en.append(f"{more} more like it not acknowledged")
    if step > 0 and not news:
        parts_zh.append(f"第 {step + 1} 次通知，尚无人确认")
        parts_en.append(f"notice {step + 1}, nobody has acknowledged it")
    return Words(_cut("；".join(parts_zh)), _cut("; ".join(parts_en)))


def located(text: Words, spot: Words | None) -> Words:
    """Return a page with where exactly to go in front of it; None: it says so itself."""
    return text if spot is None else Words(f"{spot.zh}：{text.zh}", f"{spot.en}: {text.en}")


def summary(texts: Sequence[Words]) -> Words:
    """Return several pages to one person as one: the first few in words, the others as a number."""
    if len(texts) == 1:
        return texts[0]
    told, more = texts[:SPELT_OUT], len(texts) - SPELT_OUT
    zh = " / ".join(_cut(each.zh, LONGEST // 4) for each in told)
    en = " / ".join(_cut(each.en, LONGEST // 4) for each in told)
    if more <= 0:
        return Words(zh, en)
    return Words(
        f"{zh}（另有 {more} 条通知，请打开值班页）", f"{en} (and {more} more notices: open the duty page)"
    )


def quiet(gateway: str) -> Words:
    """Return what the desk says of a gateway it does not hear."""
    return Words(
        f"网关 {gateway} 失联，它看护的设备目前无人看护",
        f"Gateway {gateway} is silent: nothing watches its devices",
    )


def gap(gateway: str, number: str) -> Words:
    """Return what the desk says of alerts that a gateway has sent and that never arrived."""
    return Words(
        f"网关 {gateway} 有告警没有送到（编号 {number}，之前可能还有），请到网关上查看告警列表",
        f"Alerts of gateway {gateway} never arrived (no. {number}, perhaps more before it): look at the list there",
    )


def deaf() -> Words:
    """Return what the desk says when it has no broker."""
    return Words(
        "值班台连不上消息服务器，现在收不到任何网关的告警",
        "The desk has no broker: no gateway's alerts arrive at present",
    )


def damaged(aside: str, lost: Mapping[str, int | None]) -> Words:
    """Return what the desk says of a record that had rotted: tables and rows lost, None where nobody can say."""
    zh = "、".join(f"{_TABLES.get(name, (name,))[0]} {rows or '若干'}" for name, rows in lost.items())
    en = ", ".join(f"{_TABLES.get(name, ('', name))[1]} {rows or '?'}" for name, rows in lost.items())
    if len(lost) > len(_TABLES):
        zh, en = "几乎全部", "nearly everything"
    return Words(
        f"值班台的存储卡出错，记录已重建。请尽快换卡，并到各网关核对告警。读不出的行数：{zh or '无'}。旧文件：{aside}",
        "The desk's card failed and its record was made anew. Replace the card, and compare the alerts with those"
        f" at the gateways. Rows that could not be read: {en or 'none'}. The old file: {aside}",
    )


def unreachable(person: str, answer: str = "") -> Words:
    """Return what the desk says of somebody whom no channel reaches, and what the last one said."""
    why = f"（{_cut(answer, LONGEST // 4)}）" if answer else ""
    because = f" ({_cut(answer, LONGEST // 4)})" if answer else ""
    return Words(
        f"通知送不到 {person}，请换人值班或修好通道{why}",
        f"No page reaches {person}: have somebody else on duty, or mend the channel{because}",
    )


def trial(person: str) -> Words:
    """Return the words of a page that somebody sends to try a channel."""
    return Words(
        f"【测试】给 {person} 的通知测试，无需处理", f"Test: a trial page to {person}. Nothing to do"
    )


def weekly_test() -> Words:
    """Return the words of the weekly test."""
    return Words(
        "【测试】每周通知测试，收到即正常，无需处理。哪周没有收到，请告诉管理员",
        "Test: the weekly test page. Nothing to do. In a week without it, tell the administrator",
    )


def _cut(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"

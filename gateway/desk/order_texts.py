"""What is told of an order, in both languages: short, and true to the last word. Pure."""

from collections.abc import Mapping
from typing import Final

from gateway.core.events import Words

WAITING: Final = Words("正在下达", "Being given")
SENT: Final = Words("已发出，等网关答复", "Sent, waiting for the gateway")
NOT_SENT: Final = Words(
    "十秒内没能送出，门没有动", "It could not be sent within ten seconds; nothing was moved"
)
UNHEARD: Final = Words(
    "已发出，但网关没有答复；请看门的实际状态", "Sent, and the gateway did not answer: look at the door"
)
NO_KEY: Final = Words(
    "值班台没有签名密钥，不能下达门令；请管理员设置 [desk] key_file",
    "The desk has no key to sign with: an administrator sets key_file in [desk]",
)
AWAY: Final = Words(
    "网关不在线，命令没有送出，门没有动", "The gateway is offline; nothing was sent, nothing was moved"
)
AWAY_NOW: Final = Words("网关不在线，现在不能开门", "The gateway is offline: nothing can be ordered now")
SILENT: Final = Words(
    "网关没有公布口令，命令没有送出（网关里登记值班台的公钥了吗？）",
    "The gateway publishes no nonce, nothing was sent (does it know the desk's key?)",
)
DEAF: Final = Words("值班台连不上消息服务器，命令没有送出", "The desk has no broker; nothing was sent")
NO_OPERATOR: Final = Words(
    "网关不接受远程门令：gateway.toml 里没有 [[operator]]",
    "The gateway takes no orders from afar: its gateway.toml has no [[operator]]",
)

_RESULTS: Final[Mapping[str, Words]] = {
    "done": Words("已执行", "Done"),
    "failed": Words("没有成功", "It failed"),
    "late": Words("超时，没有执行", "Too late; nothing was done"),
    "refused": Words("网关拒绝", "The gateway refused"),
    "unknown": Words(
        "网关中途重启，结果不明；请看门的实际状态", "The gateway restarted meanwhile: look at the door"
    ),
}

_REASONS: Final[Mapping[str, Words]] = {
    "key": Words("网关不认识值班台的密钥", "The gateway does not know the desk's key"),
    "signature": Words("密钥与网关登记的不一致", "The desk's key is not the one the gateway knows"),
    "rate": Words("命令太频繁，请稍候", "Too many orders in a minute"),
    "busy": Words("网关正忙，请稍候", "The gateway is busy"),
    "future": Words("值班台与网关的时钟不一致", "The clocks of desk and gateway differ"),
    "expired": Words("时钟不一致，或命令送达太晚", "The clocks of desk and gateway differ, or it was late"),
    "role": Words("网关不许值班台做这件事", "The gateway does not let the desk do that"),
    "place": Words("这扇门不归值班台管", "That door is outside the desk's places"),
    "order": Words("网关没有这个目标，或不会这个动作", "The gateway has no such target or action"),
    "repeated": Words("编号重复，请重新下达", "That id was used by another order: give it anew"),
}  # fmt: skip


def outcome(result: str, detail: str) -> Words:
    """Return what came of an order, with the gateway's own words behind."""
    told = _RESULTS[result]
    return Words(f"{told.zh}（{detail}）", f"{told.en} ({detail})") if detail else told


def refused(detail: str) -> Words:
    """Return why an order was refused; `detail` begins with the reason's name."""
    return _REASONS.get(detail.partition(":")[0], outcome("refused", detail))

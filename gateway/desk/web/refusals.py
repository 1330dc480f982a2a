"""Why a request is not carried out, in words for whoever made it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.core.events import Words

_WORDS: Final[Mapping[str, tuple[int, Words]]] = {
    "bad": (400, Words("请求有误：{}", "that cannot be understood: {}")),
    "no_phone": (401, Words("这部手机还没有登记，请扫码", "this phone is not let in: scan a pairing code")),
    "nobody": (401, Words("先说明现在是谁在用这部手机", "say first who has this phone now")),
    "token": (
        403,
        Words("二维码已用过或已过期，请换一个新的", "the code is used or too old: ask for a new one"),
    ),
    "csrf": (403, Words("页面已过期，请刷新后再试", "the page is too old: load it anew and try again")),
    "forbidden": (403, Words("您的岗位不能做这件事", "your role may not do this")),
    "vital": (403, Words("{} 关系到性命，不能静音", "{} may save a life: it is never silenced")),
    "none": (404, Words("没有，或不在您的辖区", "there is none, or it is not in your places")),
    "changed": (409, Words("别人刚改过，请看最新情况", "somebody was faster: look at how it is now")),
    "large": (413, Words("太大了，最多 {}", "too large: {} at most")),
    "kind": (415, Words("不是能用的格式：{}", "no format that is of use: {}")),
    "often": (429, Words("太频繁了，请稍等", "too often: wait a moment")),
    "slow": (408, Words("传得太慢，请到信号好的地方再试", "too slow: try again where the signal is better")),
    "full": (507, Words("没有地方保存照片，请先发文字", "there is no room for photos: send the words first")),
    "broken": (500, Words("值班台出错了，已记录", "the desk has failed; it is in its log")),
    "away": (503, Words("数据库暂时不可用，请稍后再试", "the database is away: try again in a moment")),
}


class RefusalError(Exception):
    """A request is not carried out; `code` says why, `about` what of it."""

    def __init__(self, code: str, about: str = "") -> None:
        super().__init__(code, about)
        self.code, self.about = code, about

    @property
    def status(self) -> int:
        """Return the status of HTTP."""
        return _WORDS[self.code][0]

    @property
    def is_passing(self) -> bool:
        """Return whether the same may be had later."""
        return self.code in {"often", "broken", "away"}

    @property
    def told(self) -> "Told":
        """Return what the answer says."""
        words = _WORDS[self.code][1]
        return Told(self.code, words.zh.format(self.about), words.en.format(self.about))


@dataclass(frozen=True, slots=True)
class Told:
    """The answer to a request that is not carried out."""

    error: str
    zh: str
    en: str

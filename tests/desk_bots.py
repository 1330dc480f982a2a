"""Pretend bots that refuse as the real ones do: 200, and a number in the body. Written from their documentation alone.

Each is a callable for `desk_service.Service`. They check keys, signatures (by the plain definition of HMAC, RFC 2104,
not by the library the senders use), words, lengths, and how many came in a minute.
"""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

Said = tuple[int, dict[str, Any]]


def hmac_sha256(key: bytes, text: bytes) -> bytes:
    """Return the HMAC of RFC 2104, written out."""
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(each ^ 0x36 for each in block) + text).digest()
    return hashlib.sha256(bytes(each ^ 0x5C for each in block) + inner).digest()


class Pace:
    """Counts within a minute of a clock that the test moves."""

    def __init__(self, most: int) -> None:
        self.now, self._most, self._times = 0.0, most, list[float]()

    def full(self) -> bool:
        self._times = [each for each in self._times if self.now - each < 60.0]
        if len(self._times) >= self._most:
            return True
        self._times.append(self.now)
        return False


class WecomGroup:
    """qyapi.weixin.qq.com/cgi-bin/webhook/send?key=..."""

    def __init__(self, key: str = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa") -> None:
        self.key, self.pace, self.shown = key, Pace(20), list[dict[str, Any]]()
        self.path = f"/cgi-bin/webhook/send?key={key}"

    def __call__(self, path: str, told: dict[str, Any]) -> Said:
        if parse_qs(urlsplit(path).query).get("key") != [self.key]:
            hint = "hint: [1700000000] , from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com"
            return 200, {"errcode": 93000, "errmsg": f"invalid webhook url, {hint}"}
        if told.get("msgtype") not in {"text", "markdown"}:
            return 200, {"errcode": 40008, "errmsg": "invalid message type"}
        content = told[told["msgtype"]]["content"]
        if len(content.encode()) > {"text": 2048, "markdown": 4096}[told["msgtype"]]:
            return 200, {"errcode": 40058, "errmsg": f"{told['msgtype']}.content exceed max length"}
        if self.pace.full():
            return 200, {"errcode": 45009, "errmsg": "api freq out of limit"}
        self.shown.append(told)
        return 200, {"errcode": 0, "errmsg": "ok"}


class DingtalkGroup:
    """oapi.dingtalk.com/robot/send?access_token=...&timestamp=...&sign=..."""

    def __init__(self, *, secret: str = "", keyword: str = "", now: float = 1_700_000_000.0) -> None:
        self.secret, self.keyword, self.now = secret, keyword, now
        self.token, self.pace, self.shown = "566cc69da782ec33e42541f6", Pace(20), list[dict[str, Any]]()
        self.path = f"/robot/send?access_token={self.token}"

    def __call__(self, path: str, told: dict[str, Any]) -> Said:
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        if query.get("access_token") != self.token:
            return 200, {"errcode": 300005, "errmsg": "token is not exist"}
        if self.secret and not self._signed(query):
            return 200, {"errcode": 310000, "errmsg": "sign not match, more: [https://open.dingtalk.com]"}
        if self.keyword not in told["text"]["content"]:
            return 200, {
                "errcode": 310000,
                "errmsg": "keywords not in content, more: [https://open.dingtalk.com]",
            }
        if self.pace.full():
            return 200, {"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"}
        self.shown.append(told)
        return 200, {"errcode": 0, "errmsg": "ok"}

    def _signed(self, query: dict[str, str]) -> bool:
        stamp = query.get("timestamp", "0")
        fresh = abs(int(stamp) / 1000 - self.now) < 3600
        wanted = hmac_sha256(self.secret.encode(), f"{stamp}\n{self.secret}".encode())
        return fresh and base64.b64decode(query.get("sign", "")) == wanted


class FeishuGroup:
    """open.feishu.cn/open-apis/bot/v2/hook/..."""

    def __init__(self, *, secret: str = "", keyword: str = "", now: float = 1_700_000_000.0) -> None:
        self.secret, self.keyword, self.now = secret, keyword, now
        self.pace, self.shown = Pace(100), list[dict[str, Any]]()
        self.path = "/open-apis/bot/v2/hook/0b1c2d3e-aaaa-bbbb-cccc-000011112222"

    def __call__(self, path: str, told: dict[str, Any]) -> Said:
        if path != self.path:
            return 200, {
                "code": 19001,
                "data": {},
                "msg": "param invalid: incoming webhook access token invalid",
            }
        if self.secret and not self._signed(told):
            text = "sign match fail or timestamp is not within one hour from current time"
            return 200, {"code": 19021, "data": {}, "msg": text}
        if self.keyword not in told["content"]["text"]:
            return 200, {"code": 19024, "data": {}, "msg": "Key Words Not Found"}
        if self.pace.full():
            return 200, {
                "code": 11232,
                "data": {},
                "msg": "frequency limited psm[lark.oapi.app_platform_runtime]",
            }
        self.shown.append(told)
        return 200, {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}

    def _signed(self, told: dict[str, Any]) -> bool:
        stamp = told.get("timestamp", "0")
        wanted = hmac_sha256(f"{stamp}\n{self.secret}".encode(), b"")
        return abs(int(stamp) - self.now) < 3600 and base64.b64decode(told.get("sign", "")) == wanted


class BarkServer:
    """api.day.app/push"""

    def __init__(self) -> None:
        self.key, self.path, self.shown = "nysrshcqielvoxsa", "", list[dict[str, Any]]()

    def __call__(self, path: str, told: dict[str, Any]) -> Said:
        if path != "/push":
            return 404, {"code": 404, "message": f"Cannot POST {path}", "timestamp": 1_700_000_000}
        if told.get("device_key") != self.key:
            text = f"failed to get device token: failed to get [{told.get('device_key')}] device token from database"
            return 400, {"code": 400, "message": text, "timestamp": 1_700_000_000}
        self.shown.append(told)
        return 200, {"code": 200, "message": "success", "timestamp": 1_700_000_000}

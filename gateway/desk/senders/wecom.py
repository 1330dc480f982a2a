"""The bot of a WeCom group: text that mentions people, or markdown with a colour. Success is errcode 0.

20 messages a minute for each bot; text of 2,048 bytes, markdown of 4,096. A mobile number can be mentioned in text
only, so a message for one is text whatever was asked for. The whole address of a bot is a secret: its key is in it.
"""

from typing import Final

from gateway.desk.senders.judging import Sign, ask
from gateway.desk.senders.mentioning import EVERYBODY, cut, whom
from gateway.desk.senders.posting import request
from gateway.desk.sending import Message, Result

LONGEST_TEXT: Final = 2048
LONGEST_MARKDOWN: Final = 4096
COLOURS: Final = ("comment", "info", "warning", "warning")  # by rank: grey, green, orange
SIGN: Final = Sign("wecom", "errcode", 0)


class Wecom:
    """Sends to one group."""

    def __init__(self, url: str, *, markdown: bool = False) -> None:
        self._url, self._markdown = url, markdown

    async def send(self, message: Message) -> Result:
        """Send one message; `address` is a userid or a mobile number of the group, or @all."""
        told = body(message, markdown=self._markdown)
        return await ask(request(self._url, told, message.id, secrets=(self._url,)), SIGN)


def body(message: Message, *, markdown: bool = False) -> dict[str, object]:
    """Return what is posted."""
    to = whom(message.address)
    if markdown and not to.mobile:
        name = EVERYBODY if to.everybody else to.name
        mention = f"\n<@{name}>" if name else ""
        head, tail = f'<font color="{COLOURS[message.rank]}">', "</font>" + mention
        room = LONGEST_MARKDOWN - len((head + tail).encode())
        return {"msgtype": "markdown", "markdown": {"content": head + cut(message.text, room) + tail}}
    told: dict[str, object] = {"content": cut(message.text, LONGEST_TEXT)}
    if to.mobile:
        told["mentioned_mobile_list"] = [to.mobile]
    elif to.everybody or to.name:
        told["mentioned_list"] = [EVERYBODY if to.everybody else to.name]
    return {"msgtype": "text", "text": told}

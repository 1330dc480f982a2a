"""Pages by e-mail (SMTP, RFC 5321), step by step, because the server may refuse at each and says why in a number.

Until the dot after the message was sent nothing has gone out; once it was, only the server's answer to it counts. The
message has an id of its own made of the page's, so a repeat can be known. A password is never sent over a
connection that is not encrypted. E-mail wakes nobody: it belongs behind a channel that rings.
"""

import contextlib
import hashlib
import re
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final, Literal

from gateway.core.events import Words
from gateway.desk.senders.judging import meaning
from gateway.desk.senders.mentioning import cut
from gateway.desk.sending import Delivered, Message, Rejected, Result, Unknown
from gateway.runtime.threads import in_thread

TIMEOUT_S: Final = 5.0  # for each step; the whole has the channel's
SUBJECT: Final = 120  # bytes
SECURITIES: Final = ("starttls", "tls", "none")
PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
ADDRESS: Final = re.compile(r"[!-?A-~]{1,64}@[A-Za-z0-9.-]{1,255}")

_NO_ADDRESS: Final = Words(
    "不是邮箱地址：改 [[person]] 的 channels", "no e-mail address: mend the person's channels"
)
_NO_TLS: Final = Words(
    '服务器没有 STARTTLS：改用 security = "tls"，或换服务器',
    'the server has no STARTTLS: try security = "tls"',
)
_UNTRUSTED: Final = Words(
    "服务器的证书不可信：检查 host 和本机时钟，自建服务器用 ca_file",
    "the server's certificate is not trusted: look at host and at the clock; for a server of your own use ca_file",
)
_BY_THE_CLOCK: Final = frozenset({9, 10})
"""X509_V_ERR_CERT_NOT_YET_VALID, _HAS_EXPIRED (OpenSSL): a box without a clock is put right after it is up."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed in, and by whom."""

    host: str
    sender: str
    security: Literal["starttls", "tls", "none"] = "starttls"
    port: int = 0  # the usual one
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""


class Mail:
    """Sends over one server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def send(self, message: Message) -> Result:
        """Send one message; `address` is an e-mail address."""
        if not ADDRESS.fullmatch(message.address):
            return Rejected(f"no address: {message.address!r}", retryable=False, means=_NO_ADDRESS)
        return await in_thread(lambda: _send(self._server, message))


def letter(message: Message, sender: str) -> EmailMessage:
    """Return a page as a mail; of the same page the same, but for its date."""
    made = EmailMessage()
    made["From"], made["To"] = sender, message.address
    made["Subject"] = cut(" ".join(message.text.split()), SUBJECT)
    made["Date"] = formatdate()
    digest = hashlib.sha256(message.id.encode()).hexdigest()[:32]
    made["Message-ID"] = f"<{digest}@{sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    if message.rank == 3:
        made["Importance"], made["X-Priority"] = "high", "1"
    made.set_content(message.text)
    return made


def _send(server: Server, message: Message) -> Result:
    try:
        session = _session(server)
    except smtplib.SMTPNotSupportedError as error:
        return Rejected(str(error), retryable=False, means=_NO_TLS)
    except smtplib.SMTPResponseException as error:
        return _refused(error.smtp_code, error.smtp_error)
    except ssl.SSLCertVerificationError as error:
        soon = error.verify_code in _BY_THE_CLOCK
        return Rejected(error.verify_message, retryable=soon, means=_UNTRUSTED)
    except (OSError, smtplib.SMTPException) as error:
        return Rejected(f"cannot be reached: {_reason(error)}", retryable=True)
    try:
        return _hand_in(session, server, message)
    except (OSError, smtplib.SMTPException) as error:
        return Rejected(f"hung up: {_reason(error)}", retryable=True)
    finally:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            session.quit()
        session.close()


def _session(server: Server) -> smtplib.SMTP:
    """Return an open session, encrypted and logged in as it is to be."""
    context = ssl.create_default_context(cafile=server.ca_file or None)
    port = server.port or PORTS[server.security]
    if server.security == "tls":
        session: smtplib.SMTP = smtplib.SMTP_SSL(server.host, port, timeout=TIMEOUT_S, context=context)
    else:
        session = smtplib.SMTP(server.host, port, timeout=TIMEOUT_S)
    try:
        session.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            session.starttls(context=context)
            session.ehlo()
        if server.username and server.security != "none":
            session.login(server.username, server.password)
    except BaseException:
        session.close()
        raise
    return session


def _hand_in(session: smtplib.SMTP, server: Server, message: Message) -> Result:
    """Hand a message in; raises what ends the session before it has gone out."""
    code, said = session.mail(server.sender)
    if code == 250:
        code, said = session.rcpt(message.address)
    if code not in {250, 251}:
        return _refused(code, said)
    try:
        code, said = session.data(letter(message, server.sender).as_bytes())
    except smtplib.SMTPDataError as error:
        return _refused(error.smtp_code, error.smtp_error)
    except (OSError, smtplib.SMTPException) as error:
        return Unknown(f"no answer to the message: {_reason(error)}")
    return Delivered(_answer(code, said)) if code == 250 else _refused(code, said)


def _refused(code: int, said: bytes | str) -> Rejected:
    """Return a refusal: 4xx may be over later, 5xx is final."""
    means = meaning("mail", code)
    return Rejected(_answer(code, said), 400 <= code < 500, means.words if means else None)


def _answer(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(text.split())}"[:300]


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__

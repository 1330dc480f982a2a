"""A mail server, pretended on loopback: SMTP line by line, with STARTTLS or TLS, refusing where it is told to."""

import base64
import contextlib
import socketserver
import ssl
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage


class MailServer:
    """Keeps what it is handed in. `refuse` is what it says to a command instead: {"RCPT": "550 no such user"}."""

    def __init__(self, *, context: ssl.SSLContext | None = None, at_once: bool = False) -> None:
        self.letters: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.logins: list[tuple[str, str, bool]] = []
        self.refuse: dict[str, str] = {}
        self.hang_up_at = ""
        self.context, self.at_once = context, at_once
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                session = Session(outer, self)
                try:
                    session.run()
                except (OSError, EndError):
                    return
                finally:
                    session.close()

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port: int = self.server.server_address[1]
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


class EndError(Exception):
    """The session is over."""


class Session:
    """One connection."""

    def __init__(self, server: MailServer, handler: socketserver.StreamRequestHandler) -> None:
        self.server, self.secure = server, False
        self.socket = handler.connection
        self.file = self.socket.makefile("rwb")

    def close(self) -> None:
        """Close everything, also what was encrypted and is the handler's socket no more."""
        with contextlib.suppress(OSError):
            self.file.close()
        self.socket.close()

    def run(self) -> None:
        if self.server.at_once:
            self._encrypt()
        self.say(self.server.refuse.get("CONNECT", "220 mail.example ESMTP"))
        while line := self.file.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            self.take(verb.upper(), rest)

    def take(self, verb: str, rest: str) -> None:
        if verb == self.server.hang_up_at:
            raise EndError
        if verb in self.server.refuse:
            self.say(self.server.refuse[verb])
            return
        match verb:
            case "EHLO":
                features = ["mail.example", "AUTH PLAIN", "SIZE 1000000"]
                if self.server.context is not None and not self.secure:
                    features.append("STARTTLS")
                lines = [f"250{' ' if each is features[-1] else '-'}{each}" for each in features]
                self.say("\r\n".join(lines))
            case "STARTTLS":
                self.say("220 go ahead")
                self._encrypt()
            case "AUTH":
                _, name, password = base64.b64decode(rest.rsplit(maxsplit=1)[-1]).decode().split("\0")
                self.server.logins.append((name, password, self.secure))
                self.say("235 2.7.0 accepted" if password == "right" else "535 5.7.8 authentication failed")
            case "MAIL" | "RSET":
                self.say("250 2.1.0 ok")
            case "RCPT":
                self.server.recipients.append(rest)
                self.say("250 2.1.5 ok")
            case "DATA":
                self.say("354 go on")
                self._letter()
            case "QUIT":
                self.say("221 bye")
                raise EndError
            case _:
                self.say("502 not known")

    def _letter(self) -> None:
        data = bytearray()
        while (line := self.file.readline()) != b".\r\n":
            data += line[1:] if line.startswith(b"..") else line
        if self.server.hang_up_at == ".":
            raise EndError
        if "." in self.server.refuse:
            self.say(self.server.refuse["."])
            return
        self.server.letters.append(message_from_bytes(bytes(data), policy=policy.default))
        self.say("250 2.0.0 Ok: queued as 4Bx7Q9")

    def say(self, text: str) -> None:
        self.file.write(text.encode() + b"\r\n")
        self.file.flush()

    def _encrypt(self) -> None:
        assert self.server.context is not None
        self.file.close()
        self.socket = self.server.context.wrap_socket(self.socket, server_side=True)
        self.file, self.secure = self.socket.makefile("rwb"), True

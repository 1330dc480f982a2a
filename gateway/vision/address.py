"""Where a video comes from: the kind of source, the address as it may be shown, and with its password as FFmpeg
needs it. Only `full` ever holds the password, and it is made anew for each call.
"""

import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from urllib.parse import quote, unquote, urlsplit

from gateway.vision.source_errors import SourceError

Kind: TypeAlias = Literal["file", "rtsp", "http", "camera"]

KINDS: dict[str, Kind] = {"rtsp": "rtsp", "rtsps": "rtsp", "http": "http", "https": "http", "file": "file"}
# Some makers want the password in path or query: rtsp://host/user=admin_password=x_channel=1.sdp
SECRETS = re.compile(r"(?i)(pass(?:word|wd|wort)?|pwd|psw|token|auth|secret|key|sig(?:nature)?)=[^&_;/\s]*")


@dataclass(frozen=True, slots=True)
class Address:
    """An address taken apart. `shown` has no credentials; `bare` is it without user and password."""

    kind: Kind
    shown: str
    bare: str = field(repr=False)
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def live(self) -> bool:
        """Return whether pictures come by themselves, at the time they are taken."""
        return self.kind in {"rtsp", "camera"}

    @property
    def remote(self) -> bool:
        """Return whether a network lies between."""
        return self.kind in {"rtsp", "http"}

    def full(self) -> str:
        """Return the address as FFmpeg wants it; it may hold the password: for the call only, never to be kept."""
        if not self.user:
            return self.bare
        scheme, rest = self.bare.split("://", 1)
        secret = f":{quote(self.password, safe='')}" if self.password else ""
        return f"{scheme}://{quote(self.user, safe='')}{secret}@{rest}"


def parse(url: str, *, user: str | None = None, password: str | None = None) -> Address:
    """Take an address apart; `user` and `password` given here stand over those in the address.

    What has no scheme is a path. Raises SourceError for an address of no known kind.
    """
    if re.fullmatch(r"/dev/video\d+|/dev/v4l/\S+", url):
        return Address("camera", url, url)
    scheme = url.split("://", 1)[0].lower() if "://" in url else ""
    if not scheme:
        return Address("file", url, url)
    kind = KINDS.get(scheme)
    if kind is None:
        raise SourceError("scheme", _masked(url), f"{scheme}:// is not known")
    if kind == "file":
        path = unquote(url.split("://", 1)[1])
        return Address("file", path, path)
    userinfo, _, host = _netloc(url).rpartition("@")
    if not host:
        raise SourceError("scheme", _masked(url), "the address has no host")
    in_url_user, _, in_url_password = userinfo.partition(":")
    bare = f"{scheme}{_without_userinfo(url)[len(scheme) :]}"  # FFmpeg knows no RTSP:// in capitals
    return Address(
        kind,
        _masked(bare),
        bare,
        user if user is not None else unquote(in_url_user) or ("admin" if password else ""),
        password if password is not None else unquote(in_url_password),
    )


def _netloc(url: str) -> str:
    """Return what is between scheme and path; nothing where that cannot be, as half an IPv6 address."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def _without_userinfo(url: str) -> str:
    """Return the address without user and password; an @ in an unquoted password does not deceive it."""
    scheme, rest = url.split("://", 1)
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def _masked(url: str) -> str:
    return SECRETS.sub(lambda found: f"{found[1]}=***", _without_userinfo(url))

"""Why a video source gives no pictures, in plain values: what FFmpeg says becomes a reason, a finding and a hint.

FFmpeg's own errors carry the whole address with its password, so nothing of them but their kind gets past here;
whoever catches one raises the SourceError outside of the `except`, lest it hang on to the other as its context.
"""

from typing import Literal, TypeAlias

import av
import av.error

Reason: TypeAlias = Literal[
    "missing", "forbidden", "empty", "no_video", "no_stream", "codec", "scheme",
    "refused", "unreachable", "password", "not_there", "timed_out", "ended", "changed", "broken",
]  # fmt: skip

HINTS: dict[Reason, str] = {
    "missing": "check the path for typing errors",
    "forbidden": "check who may read it; a camera at /dev/video* needs the group video",
    "empty": "the recording or copy of the file was cut short: copy it again",
    "no_video": "MP4, MKV, AVI, MOV, TS and raw H.264 or H.265 are read; does it play elsewhere?",
    "no_stream": "it has sound or text only: take the file or stream that has the pictures",
    "codec": "set the camera to H.264 or H.265, or convert the file",
    "scheme": "a file path, /dev/videoN, rtsp://, rtsps://, http:// or https:// is read",
    "refused": "is RTSP switched on in the camera, and is the port right (mostly 554)?",
    "unreachable": "check address, cable and power of the camera; does it answer a ping?",
    "password": "check user name and password; some cameras lock for half an hour after a few wrong ones",
    "not_there": "check the path in the address; it differs from maker to maker",
    "timed_out": "check network and load of the camera; too many viewers at once make many of them hang",
    "ended": "the camera closed the stream: it may be restarting",
    "changed": "the size of the picture changed while it ran: the stream is to be opened anew",
    "broken": "does it play elsewhere? a restart of the camera often helps",
}


class SourceError(Exception):
    """A source gives no pictures: `where` without credentials, `found` there, and a `hint` how to mend it."""

    def __init__(self, reason: Reason, where: str, found: str, hint: str = "") -> None:
        self.reason: Reason = reason
        self.where = where
        self.found = found
        self.hint = hint or HINTS[reason]
        super().__init__(f"{where}: {found} ({self.hint})")

    @property
    def values(self) -> dict[str, str]:
        """Return what a message of one's own needs, by name."""
        return {"where": self.where, "found": self.found, "hint": self.hint}


# In this order: the first that fits. FFmpeg gives ExitError where the time-out's callback ended it.
KINDS: tuple[tuple[type[BaseException], Reason, str], ...] = (
    (av.error.HTTPUnauthorizedError, "password", "user name or password refused (401)"),
    (av.error.HTTPForbiddenError, "password", "access refused (403)"),
    (av.error.HTTPNotFoundError, "not_there", "no such stream there (404)"),
    (av.error.HTTPError, "broken", "the server answered with an error"),
    (av.error.ExitError, "timed_out", "no answer in time"),
    (av.error.TimeoutError, "timed_out", "no answer in time"),
    (ConnectionRefusedError, "refused", "connection refused"),
    (ConnectionError, "ended", "connection broken off"),
    (BrokenPipeError, "ended", "connection broken off"),
    (av.error.EOFError, "ended", "the stream ended"),
    (FileNotFoundError, "missing", "no such file or device"),
    (PermissionError, "forbidden", "may not be read"),
    (IsADirectoryError, "no_video", "a folder, not a video"),
    (av.error.InvalidDataError, "no_video", "not a video, or too broken to read"),
    (av.error.DecoderNotFoundError, "codec", "no decoder for its coding"),
    (av.error.ProtocolNotFoundError, "scheme", "unknown kind of address"),
)


def explain(error: BaseException, where: str, *, remote: bool) -> SourceError:
    """Return what an error of FFmpeg's means for a source; `where` is shown, so it must be without credentials."""
    for kind, reason, found in KINDS:
        if isinstance(error, kind):
            if remote and reason == "no_video":
                return SourceError("broken", where, "what comes from there is no video")
            return SourceError(reason, where, found)
    if remote and isinstance(error, OSError):
        return SourceError("unreachable", where, "not reached")
    number = error.errno if isinstance(error, OSError) else None
    return SourceError("broken", where, f"cannot be read (error {number})" if number else "cannot be read")

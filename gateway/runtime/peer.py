"""Who is at the other end of a Unix socket, as the kernel says (SO_PEERCRED, unix(7))."""

import socket
from struct import Struct

_CREDENTIALS = Struct("3i")  # struct ucred: pid, uid, gid


def peer_uid(line: socket.socket) -> int:
    """Return which user connected; on the connecting side, which user listened (root for a socket of systemd's).

    In a user namespace every user it does not know is the same one, nobody: the file's mode must say the rest.
    """
    told = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    uid: int = _CREDENTIALS.unpack(told)[1]
    return uid

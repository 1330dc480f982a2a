"""What root finds good and the service may not read: `check` by sudo, and `systemctl reload`, which asks it as root.

Root reads everything. So a password file of root's alone was found good, the reload told of no fault, and the gateway
went on with what it had before; with gateway.toml itself it did not start after the next power cut.

Only the system's own configuration is for that user, and only root can look in their place: `test -r` is run as them.
Credentials of systemd and passwords of cameras are not theirs to read as files.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from pwd import getpwnam, struct_passwd
from typing import Final

from drivers.api import Text
from gateway.core.faults import Fault, same
from gateway.core.loading import Parsed

USER: Final = "compound-gateway"
_OF_MQTT: Final = ("ca_file", "cert_file", "key_file", "password_file")
_GOES_WITHOUT: Final = re.compile(r"last_resort\[|access\.file|bus\[.*\.key_file")
"""Files without which a reload goes on all the same, as it does where they are missing."""
_OF_ACCESS: Final = ("file", "token_file", "ca_file")


def check(parsed: Parsed, file: Path) -> Iterator[Fault]:
    """Yield a fault for each file that is there and that the service's user may not read."""
    if os.geteuid() != 0:
        return
    try:
        user = getpwnam(USER)
    except KeyError:
        return
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    for key, path in named(parsed, file):
        own = credentials and path.is_relative_to(credentials)
        if path.is_file() and not own and not _may_read(user, path):
            found = Text(f"{path}，{USER} 用户无权读取", f"{path}, which the user {USER} may not read")
            hint = f"sudo chgrp {USER} {path} && sudo chmod 640 {path}"
            wanted = Text("网关的服务能读的文件", "a file the service can read")
            yield Fault(key, found, wanted, same(hint), warning=_GOES_WITHOUT.match(key) is not None)


def _may_read(user: struct_passwd, path: Path) -> bool:
    """Return whether a user may read a file; True also where nobody can be asked in their place."""
    groups = os.getgrouplist(user.pw_name, user.pw_gid)
    test = ["test", "-r", str(path)]
    try:
        done = subprocess.run(test, check=False, user=user.pw_uid, group=user.pw_gid, extra_groups=groups)
    except (OSError, subprocess.SubprocessError):
        return True
    return done.returncode == 0


def named(parsed: Parsed, file: Path) -> Iterator[tuple[str, Path]]:
    """Yield the configuration and the files it names, with their keys. Paths in `parsed` are absolute."""
    told: dict[str, str] = {"file": str(file.absolute())}
    if (mqtt := parsed.mqtt) is not None:
        told |= {f"mqtt.{name}": getattr(mqtt, name) for name in _OF_MQTT}
    if (access := parsed.access) is not None:
        told |= {f"access.{name}": getattr(access, name) for name in _OF_ACCESS}
    told |= {f"{key}.points": bus.points for key, bus in parsed.buses.items()}
    told |= {f"{key}.key_file": device.key_file for key, device in parsed.devices.items()}
    told |= {f"{key}.table": centre.table for key, centre in parsed.fire_centres.items()}
    for key, each in parsed.last_resorts.items():
        told |= {
            f"{key}.{name}": value
            for name, value in each.items()
            if name.endswith("_file") and isinstance(value, str)
        }
    yield from ((key, Path(path)) for key, path in told.items() if path)

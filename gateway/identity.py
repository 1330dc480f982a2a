"""Who this gateway is, this boot, and names for what it makes."""

import secrets
import time
from pathlib import Path

from gateway import __version__
from gateway.core.config import Config
from gateway.core.health import Identity
from gateway.core.uuid7 import RANDOM_BITS, uuid7

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def identity(config: Config, epoch: int) -> Identity:
    """Return who this gateway is; `epoch` is its journal's."""
    return Identity(
        id=config.gateway.id,
        name=config.gateway.name or config.gateway.place.compound,
        version=__version__,
        boot=_boot_id(),
        epoch=epoch,
        started=time.time(),
    )


def new_id() -> str:
    """Return a UUIDv7: unique, and in the order of time."""
    return uuid7(time.time_ns() // 1_000_000, secrets.randbits(RANDOM_BITS))


def _boot_id() -> str:
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"

"""Evidence as a camera's process leaves it in the folder."""

import hashlib
import time
from pathlib import Path

import msgspec

from gateway.vision.store import Facts


def put(folder: Path, camera: str, fall: str, what: str, data: bytes) -> str:
    """Write a piece with its facts and return its sum."""
    sha256 = hashlib.sha256(data).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    facts = Facts(sha256, what, camera, fall, time.time(), len(data))  # type: ignore[arg-type]
    (folder / facts.file).write_bytes(data)
    (folder / f"{sha256}.json").write_bytes(msgspec.json.encode(facts))
    return sha256

"""Names that outlive a restart in a file of their own: of what stands at a broker and must be taken back one day."""

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gateway.runtime.threads import in_thread
from gateway.runtime.whole_file import replace

log = logging.getLogger(__name__)

LOOK_S: Final = 5.0


class KeptNames:
    """The names in one file of the state directory; no file where there is none."""

    def __init__(self, folder: str, name: str) -> None:
        self._file = Path(folder) / name

    @property
    def are_there(self) -> bool:
        """Return whether an earlier run left any."""
        return self._file.exists()

    async def follow(self, look: Callable[[set[str]], set[str]]) -> None:
        """Have `look` turn the names into those of now, every few seconds until cancelled.

        A file that cannot be read has none; a disk that does not take them is told in the log.
        """
        kept = await in_thread(self._read)
        while True:
            known = look(kept)
            if known != kept:
                kept = known
                await in_thread(lambda names=known: self._keep(names))  # type: ignore[misc]
            await asyncio.sleep(LOOK_S)

    def _read(self) -> set[str]:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return set()
        return {name for name in found if isinstance(name, str)} if isinstance(found, list) else set()

    def _keep(self, names: set[str]) -> None:
        try:
            if names:
                replace(self._file, json.dumps(sorted(names)).encode())
            else:
                self._file.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s cannot be written: %s", self._file, error.strerror)

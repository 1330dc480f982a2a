"""Names that outlive a restart in a file of their own: of what stands at a broker and must be taken back one day."""

import json
import logging
from pathlib import Path

from gateway.runtime.threads import in_thread

log = logging.getLogger(__name__)


class KeptNames:
    """The names in one file of the state directory; no file where there is none."""

    def __init__(self, folder: str, name: str) -> None:
        self._file = Path(folder) / name

    @property
    def are_there(self) -> bool:
        """Return whether an earlier run left any."""
        return self._file.exists()

    async def read(self) -> set[str]:
        """Return the names; none of a file that cannot be read."""
        return await in_thread(self._read)

    async def keep(self, names: set[str]) -> None:
        """Have these in the place of those there were; a disk that does not take them is told in the log."""
        await in_thread(lambda: self._keep(names))

    def _read(self) -> set[str]:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return set()
        return {name for name in found if isinstance(name, str)} if isinstance(found, list) else set()

    def _keep(self, names: set[str]) -> None:
        try:
            if names:
                self._file.write_text(json.dumps(sorted(names)), encoding="utf-8")
            else:
                self._file.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s cannot be written: %s", self._file, error.strerror)

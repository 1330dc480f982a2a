"""The view each camera had before it was moved or went out of focus, kept over a restart of its process and of all.

One small file, written when such a trouble begins, read when a camera's process starts while the trouble stands: the
process cannot know by itself that what it sees is not what it should. Marks drawn anew (façade, floors) make what is
seen from then on the right view, so a view is kept together with the marks that were drawn in it. Without marks there
is nothing that could be wrong by a moved camera, and its next start takes what it sees.
"""

import contextlib
import threading
from pathlib import Path

import msgspec

from gateway.runtime import whole_file
from gateway.vision.messages import Setup, View

FILE = "views"
LARGEST = 16 * 1024 * 1024  # of hundreds of cameras; what is larger is none of ours


class _Known(msgspec.Struct, frozen=True):
    marks: str
    view: View


_decoder = msgspec.msgpack.Decoder(dict[str, _Known])


class Views:
    """Views by camera, in memory and in a file of `folder`; any thread may ask."""

    def __init__(self, folder: Path) -> None:
        self._path, self._lock = folder / FILE, threading.Lock()
        self._known: dict[str, _Known] | None = None

    def keep(self, setup: Setup, view: View) -> None:
        """Keep the view of a camera. Blocks; raises OSError where the disk does not take it, and knows it still.

        One at a time: a disk that hangs holds up who writes, and nobody who asks.
        """
        with self._lock:
            self._known = known = {**self._read(), setup.camera: _Known(_marks(setup), view)}
        whole_file.replace(self._path, msgspec.msgpack.encode(known))

    def of(self, setup: Setup) -> View | None:
        """Return the view a camera had, as far as its marks are still the same. Blocks."""
        with self._lock:
            self._known = self._read()
        known = self._known.get(setup.camera)
        drawn = setup.watch or setup.ignore or setup.floors
        return known.view if known is not None and drawn and known.marks == _marks(setup) else None

    def _read(self) -> dict[str, _Known]:
        """Return what is known; a file that cannot be read, or is none of ours, is as good as none."""
        if self._known is not None:
            return self._known
        with contextlib.suppress(OSError, ValueError, RecursionError):
            if self._path.stat().st_size <= LARGEST:
                return _decoder.decode(self._path.read_bytes())
        return {}


def _marks(setup: Setup) -> str:
    """Return what is drawn in a camera's picture, to be compared."""
    return repr((setup.watch, setup.ignore, setup.floors, setup.marked_in))

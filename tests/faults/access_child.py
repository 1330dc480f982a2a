"""A process that puts one access list in the place of another for ever and says of each when it is there.

access_child FOLDER NUMBER, the last one of the life before
"""

import os
import sys
from pathlib import Path

from gateway.core.access import Entry, Secret
from gateway.core.access_changes import entries_of
from gateway.core.access_file import read
from gateway.runtime.access import AccessStore

SECRET = Secret(b"k" * 32)
ENTRIES = 1500


def entries(number: int) -> list[Entry]:
    """Return a list: half of it has cards of its own, half the cards of every list, and all of it says its number."""
    lines = [
        f"{number % 250}:{n},list {number},*\nw26:{0xFE0000 - n},list {number},*\n"
        for n in range(1, ENTRIES // 2 + 1)
    ]
    return entries_of(read("card,holder,doors\n" + "".join(lines)).rows, SECRET)


def main(folder: Path, number: int) -> None:
    """Replace until killed; print the number of each list."""
    store = AccessStore(folder / "access.db", SECRET)
    store.load()
    while True:
        number += 1
        store.replace(entries(number))
        os.write(1, f"{number}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

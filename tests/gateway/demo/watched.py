"""The demo in a process of its own, whose cameras are watched by `sure_worker`: python -m ... PORT SCRIPT SECONDS"""

import sys
from pathlib import Path
from typing import Any

from gateway.demo.play import main
from gateway.vision.service import Vision

if __name__ == "__main__":
    port, script, seconds = sys.argv[1:]
    settings: Any = Vision.__init__.__kwdefaults__
    settings["command"] = (sys.executable, "-m", "tests.gateway.demo.sure_worker")
    sys.exit(main(port=int(port), script=Path(script), seconds=float(seconds), port_only=False))

"""Run a laboratory until interrupted: `python -m bootstrap.lab FOLDER`.

What it serves, and where its hints, anchor and keys lie, is printed as JSON.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from bootstrap import clock

from .hierarchy import Lab
from .scenes import demo_world, many
from .situations import catalogue, world_for
from .worlds import World


def main(arguments: list[str]) -> None:
    """Serve the world that the command line asks for until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="python -m bootstrap.lab", description=__doc__
    )
    parser.add_argument("folder", type=Path, help="keeps keys and journals")
    parser.add_argument(
        "--world", choices=("demo", "catalogue", "many"), default="demo"
    )
    parser.add_argument("--count", type=int, default=1000, help="children of `many`")
    parser.add_argument("--port", type=int, default=0, help="0 finds a free one")
    parser.add_argument("--prefix", default="127.53", help="of all addresses")
    parser.add_argument("--warm", action="store_true", help="sign all before serving")
    asked = parser.parse_args(arguments)
    worlds: dict[str, Callable[[], World]] = {
        "demo": demo_world,
        "catalogue": lambda: world_for(catalogue()),
        "many": lambda: many(asked.count),
    }
    lab = Lab(
        worlds[asked.world](),
        clock=clock.now,
        folder=asked.folder,
        port=asked.port,
        prefix=asked.prefix,
    )
    endings = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, endings)
    if asked.warm:
        lab.warm()
    with lab:
        sys.stdout.write(json.dumps(lab.manifest()) + "\n")
        sys.stdout.flush()
        signal.sigwait(endings)


if __name__ == "__main__":
    main(sys.argv[1:])

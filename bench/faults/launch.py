"""Process of a service in a run: the service as it is, with crash points around it.

`python -m bench.faults.launch SERVICE`
"""

import os
import sys
from importlib import import_module
from typing import Final

from bench.faults.crashing import FOLDER_VARIABLE, CrashPoints, install

from steno_common.lifecycle import run

LOUD: Final = ("numbered", "scripted", "aws")
"""Engines whose speech is whatever is loud."""


def load(service: str) -> None:
    """Import all that a service needs."""
    import_module(f"steno_{service}.app")
    if service == "transcriber":
        # The engine is imported on demand.
        import_module("steno_transcriber.engines.numbered")
        # The words of a run are loud; to a model they are no speech, whoever recognises them.
        vars(import_module("steno_transcriber.recognition"))["WITHOUT_MODEL"] = LOUD


def serve(service: str) -> int:
    """Run a service until it ends; gives its exit status."""
    if folder := os.environ.get(FOLDER_VARIABLE):
        install(CrashPoints(folder))
    return run(service, import_module(f"steno_{service}.app").serve)


if __name__ == "__main__":
    load(sys.argv[1])
    sys.exit(serve(sys.argv[1]))

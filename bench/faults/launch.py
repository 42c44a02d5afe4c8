"""Process of a service in a run: the service as it is, with crash points around it.

`python -m bench.faults.launch SERVICE`
"""

import os
import sys
from importlib import import_module
from typing import Final

from bench.faults.crashing import FOLDER_VARIABLE, CrashPoints, install

from steno_common.lifecycle import run

LOUD_VARIABLE: Final = "BENCH_LOUD"
"""Names an engine whose speech is whatever is loud: that of a run which says numbers."""


def load(service: str) -> None:
    """Import all that a service needs."""
    import_module(f"steno_{service}.app")
    if service == "transcriber":
        # The engine is imported on demand.
        import_module("steno_transcriber.engines.numbered")


def serve(service: str) -> int:
    """Run a service until it ends; gives its exit status."""
    if folder := os.environ.get(FOLDER_VARIABLE):
        install(CrashPoints(folder))
    if engine := os.environ.get(LOUD_VARIABLE):
        # To a model such words are no speech, whoever recognises them.
        recognition = vars(import_module("steno_transcriber.recognition"))
        recognition["WITHOUT_MODEL"] = (*recognition["WITHOUT_MODEL"], engine)
    return run(service, import_module(f"steno_{service}.app").serve)


if __name__ == "__main__":
    load(sys.argv[1])
    sys.exit(serve(sys.argv[1]))

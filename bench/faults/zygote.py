"""A process that has imported a service, and forks a child per start: a restart costs no imports.

`python -m bench.faults.zygote SERVICE` reads one JSON line per start from its standard input
(environment, file for the output) and writes one per start and one per end to its standard output.
It forks only while it has one thread, no event loop and no handlers of signals, so a child is what
a new process would be after its imports.
"""

import ctypes
import gc
import os
import selectors
import signal
import sys
import traceback
from pathlib import Path
from typing import Final

import msgspec
from bench.faults.launch import load, serve

_PR_SET_PDEATHSIG: Final = 1
_THREADS: Final = Path("/proc/self/task")


class Start(msgspec.Struct, frozen=True):
    """A child is wanted."""

    environment: dict[str, str]
    output: str


class Born(msgspec.Struct, frozen=True, tag="born"):
    """It is there; answers come in the order of the requests."""

    pid: int


class Gone(msgspec.Struct, frozen=True, tag="gone"):
    """It has ended: the status is negative for a signal."""

    pid: int
    status: int


def fork(service: str, start: Start, parent: int) -> int:
    """Start a child; gives its process id."""
    if len(list(_THREADS.iterdir())) != 1:
        raise RuntimeError("a thread runs: a child would be none of a new process's kind")
    pid = os.fork()
    if pid:
        return pid
    status = 70
    try:
        _become_own(start, parent)
        status = serve(service)
    except BaseException:  # noqa: BLE001 - nothing of a child may come back to the parent's code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _become_own(start: Start, parent: int) -> None:
    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(start.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.closerange(3, 256)
    os.environ.clear()
    os.environ.update(start.environment)


def main() -> None:
    """Serve until standard input ends; children end with this process."""
    service, parent = sys.argv[1], os.getpid()
    load(service)
    gc.collect()
    gc.freeze()  # what is shared stays shared
    decode = msgspec.json.Decoder(Start).decode
    children = selectors.DefaultSelector()
    children.register(0, selectors.EVENT_READ)
    while True:
        for key, _ in children.select():
            if key.fd == 0:
                line = sys.stdin.buffer.readline()
                if not line:
                    return
                pid = fork(service, decode(line), parent)
                children.register(os.pidfd_open(pid), selectors.EVENT_READ, pid)
                _tell(Born(pid))
            else:
                status = os.waitstatus_to_exitcode(os.waitpid(key.data, 0)[1])
                children.unregister(key.fd)
                os.close(key.fd)
                _tell(Gone(key.data, status))


def _tell(message: Born | Gone) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(message) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

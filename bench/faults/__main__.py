"""The command: `python -m bench.faults`."""

import argparse
import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.faults.deployment import NotStartedError, Size
from bench.faults.load import Wanted
from bench.faults.run import Plan, Times, under_faults
from bench.processes import ROOT


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, help="end after so many deaths; default 100")
    parser.add_argument("--minutes", type=float, help="end after so long instead (a soak)")
    parser.add_argument("--every", type=float, default=0.7, help="mean seconds between faults")
    parser.add_argument("--sessions", type=int, default=8, help="at a time")
    parser.add_argument("--pace", type=float, default=2.0, help="times real time")
    parser.add_argument("--lease", type=float, default=3.0, help="seconds")
    parser.add_argument(
        "--flush",
        action="store_true",
        help="also empty Redis now and then; no client leaves early then",
    )
    parser.add_argument("--only", action="append", default=[], metavar="CLASS",
                        help="nothing but faults whose class begins so; repeatable")  # fmt: skip
    parser.add_argument("--exec", action="store_true", help="start programs instead of forks")
    parser.add_argument("--engines", metavar="A,B", default="",
                        help="names of the transcribers' engines, in turn; the first is preferred, "
                        "and all of its transcribers die now and then")  # fmt: skip
    for role in ("gateways", "transcribers", "aggregators", "notifiers"):
        parser.add_argument(f"--{role}", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="keep history, logs and transcripts here")
    return parser.parse_args()


def planned(asked: argparse.Namespace) -> Plan:
    """Give the run that was asked for."""
    return Plan(
        seed=asked.seed,
        wanted=Wanted(asked.seed, asked.sessions, asked.pace, stay=asked.flush),
        size=Size(asked.gateways, asked.transcribers, asked.aggregators, asked.notifiers),
        times=Times(lease=asked.lease),
        kills=asked.kills or (None if asked.minutes else 100),
        seconds=None if asked.minutes is None else 60 * asked.minutes,
        pause=asked.every,
        flush=asked.flush,
        only=asked.only,
        fork=not asked.exec,
        engines=tuple(filter(None, asked.engines.split(","))),
    )


def main() -> int:
    """Run, then let the oracle judge the history: 1 if a promise was not kept."""
    asked = parse()
    with tempfile.TemporaryDirectory(prefix="steno-faults-") as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            command = " ".join(["bench.faults", *sys.argv[1:]])
            history = asyncio.run(under_faults(planned(asked), folder, command))
        except NotStartedError as error:
            print(error, file=sys.stderr)
            return 1
        oracle = [sys.executable, "-m", "bench.faults.check", str(history)]
        return subprocess.run(oracle, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

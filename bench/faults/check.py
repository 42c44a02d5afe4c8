"""The oracle as a program: `python -m bench.faults.check HISTORY`, 1 if a promise was not kept."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.faults.book import read
from bench.faults.figures import report
from bench.faults.history import Record
from bench.faults.rules import SILENT_SECONDS, check

_SHOWN: Final = 40


def judge(records: Sequence[Record], silent_seconds: float) -> int:
    """Print figures with all violations; gives how many there are."""
    print("\n".join(report(records)))
    found = check(records, silent_seconds)
    for violation in found[:_SHOWN]:
        print(f"VIOLATION {str(violation)[:600]}")
    print(f"{len(found)} violations")
    return len(found)


def main() -> int:
    """Judge one history."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("history", type=Path)
    words = "seconds that a session may be silent after the last fault"
    parser.add_argument("--silent", type=float, default=SILENT_SECONDS, help=words)
    asked = parser.parse_args()
    return 1 if judge(read(asked.history), asked.silent) else 0


if __name__ == "__main__":
    sys.exit(main())

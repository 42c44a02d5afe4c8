"""The command: `python -m bench.recognition`."""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from bench.installation import NotRunningError
from bench.recognition.commands import COMMANDS
from bench.recognition.options import parse


def main() -> int:
    """Measure, print, keep; 1 when anything was lost or wrong."""
    asked = parse(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="steno-bench-models-") as folder:
        try:
            found, right = asyncio.run(COMMANDS[asked.mode](asked, Path(folder)))
        except NotRunningError as error:
            print(error, file=sys.stderr)
            return 1
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2, default=str) + "\n")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())

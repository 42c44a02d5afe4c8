"""Write docs/metrics.md with the dashboards of Grafana: `python -m deploy.monitoring`."""

import json
from pathlib import Path
from typing import Final

from deploy.monitoring.boards import BOARDS
from deploy.monitoring.panels import model
from deploy.monitoring.reference import page

ROOT: Final = Path(__file__).parents[2]


def generated() -> dict[Path, str]:
    """Give every generated file, by its path in the project."""
    boards = {
        Path(f"deploy/grafana/dashboards/{board.uid}.json"): json.dumps(model(board), indent=1)
        + "\n"
        for board in BOARDS
    }
    return {Path("docs/metrics.md"): page(), **boards}


if __name__ == "__main__":
    for path, text in generated().items():
        (ROOT / path).write_text(text)
        print(path)

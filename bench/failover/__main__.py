"""Try one failover, print what it cost."""

import argparse
import asyncio
import logging
import sys

from bench.failover.trial import Plan, Result, run

from steno_standalone.find import find_binaries


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.failover", description=__doc__)
    parser.add_argument("--form", choices=["sentinel", "cluster"], default="sentinel")
    parser.add_argument("--replicas", type=int, choices=[0, 1, 2], default=0)
    parser.add_argument("--delay-ms", type=float, default=30, help="of replication, one way")
    parser.add_argument("--sessions", type=int, default=8)
    parser.add_argument("--per-second", type=float, default=25, help="chunks of each session")
    parser.add_argument("--server", help="program; otherwise the best one installed")
    return parser.parse_args()


def _print(plan: Plan, result: Result) -> None:
    rows = {
        "form, replicas waited for": f"{plan.form}, {plan.replicas}",
        "acknowledged": result.acknowledged,
        "stored at the end": result.appended,
        "lost": result.lost,
        "doubled": result.doubled,
        "write outage": f"{result.outage:.1f} s",
        "median append": f"{result.median_append_ms:.1f} ms",
    }
    for name, value in rows.items():
        print(f"{name:<28}{value}")


def main() -> int:
    """Run; the status says whether what was promised held, and whether the trial could see."""
    given = _arguments()
    plan = Plan(given.form, given.replicas, given.delay_ms / 1000, given.sessions,
                given.per_second)  # fmt: skip
    logging.getLogger("steno_common").setLevel(logging.ERROR)  # it misses Redis, as it should
    binary = given.server or find_binaries()[0].path
    result = asyncio.run(run(binary, plan))
    _print(plan, result)
    if plan.replicas and result.lost:
        print("LOST what was acknowledged", file=sys.stderr)
        return 1
    if result.doubled:
        print("DOUBLED", file=sys.stderr)
        return 1
    if not plan.replicas and not result.lost:
        print("blind: without replicas something had to be lost", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Simulations by hand: `python -m tests.simulation --seed 7 --trace`, or many with `--seeds`."""

import argparse
import time

from tests.simulation.simulate import simulate


def main() -> None:
    """Run what the command line asks for; exits 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds")
    parser.add_argument("--trace", action="store_true", help="print what happens")
    asked = parser.parse_args()
    clock, began, virtual, failed = time.perf_counter, time.perf_counter(), 0.0, []
    for seed in range(asked.seed, asked.seed + asked.seeds):
        verdict = simulate(seed, print if asked.trace else None)
        virtual += verdict.seconds
        if verdict.faults:
            failed.append(seed)
            print(f"seed {seed}: {verdict.kinds}")
            for fault in verdict.faults:
                print(f"    {fault}", flush=True)
    spent = clock() - began
    print(f"{asked.seeds} seeds, {len(failed)} failed {failed[:20]}; {spent:.1f} s,"
          f" {60 * asked.seeds / spent:.0f} seeds a minute,"
          f" {virtual:.0f} virtual s, {virtual / spent:.0f} a second")  # fmt: skip
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()

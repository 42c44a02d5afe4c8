"""Faults on real processes: seeded kills under numbered audio, judged from a written history."""

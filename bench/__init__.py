"""Benchmarks: how fast, how costly, and beside what. `python -m bench` writes its figures into docs/benchmarks.md."""

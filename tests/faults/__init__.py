"""Every fault at every call of every kind of payment. `python -m tests.faults` takes the table; see docs/proof.md."""

"""What the business says: pure, frozen models and functions; no I/O, no clock, no Temporal."""

"""How outsiders are spoken to, nothing about why."""

"""Our words into Zoho's and back: pure."""

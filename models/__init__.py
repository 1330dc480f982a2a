"""Models the gateway carries, and how they were made."""

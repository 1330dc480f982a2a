"""The soak: a gateway lives for hours among all faults, and a ledger of the world says what it had to tell."""

"""A street of our own: facades, falling things, and everything that is no falling thing, as camera pictures."""

"""What a person at a terminal sees: help, tables, the live view, in Chinese or English."""

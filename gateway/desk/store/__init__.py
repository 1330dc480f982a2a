"""Where the desk keeps its record: plain SQL over one of two databases, SQLite or PostgreSQL."""

"""What keeps the house running: the stream, the journal, the supervisor."""

"""Pure: events, rules, alert life, policy. No asyncio, no files, no clock, no database."""

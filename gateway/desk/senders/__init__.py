"""Ways to people, one file for each kind of channel: every sender turns a message into what the service said of it.

`posting` speaks HTTP, `judging` reads answers by the words of `answers.toml`, `building` makes senders of desk.toml.
"""

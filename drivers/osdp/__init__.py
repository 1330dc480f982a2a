"""OSDP (IEC 60839-11-5, SIA OSDP 2.2): card readers, keypads and door controllers on RS-485, in secure channel only.

    frames.py       bytes into whole, undamaged frames: what reaches libosdp, and what tells us who answers
    wire.py         points and steps of a product        tables.py    the same out of a profile's TOML
    events.py       what libosdp says into readings and cards
    supervision.py  who is there, and why not: a state machine that is told the time
    orders.py       actions into commands                acting.py    commands one after the other, before a deadline
    panel.py        libosdp itself, and what is odd about it
    line.py         port and timer                       driver.py    all of it put together
    pairing.py      a new peripheral gets its key        installing.py  what stands behind pairing and probing

libosdp does the protocol: sequence numbers, retries, AES. Everything runs on the event loop, without a thread:
its `refresh` never blocks, so it is called when bytes have come and when a poll is due, and an answer is handled
within a fraction of a millisecond where the loop of its Python wrapper sleeps 20 ms at each step.

A device without a key, with another key, or without secure channel is never spoken to in plain: it is told as
offline, with the reason. A key gets into a peripheral by `compound-gateway osdp pair`, once, by a person.
"""

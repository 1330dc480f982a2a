"""Printers of fire panels: what a panel prints on its serial port, read as lines and understood by rules.

How it hangs together: `paper` turns bytes into lines of text, past all that only moves a print head; `records` puts the
lines together that belong together; `rules` says what a record means (`patterns` refuses a rule that could stall us);
`listening` turns that into reports; `line` is the shell around the port, `tables` reads a profile, `wire` is one.

A panel is one device, at address 0. Each detector of its that the installer listed is a device of its own at the
address that the panel prints for it, so that it has its place, its alerts and its tests like any other. The framed
driver does not do here: its frames have fixed places and numbers, while a record is text in a code page, of any
number of lines, with its end told by what is missing.
"""

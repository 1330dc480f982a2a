"""Text messages and calls by a modem with a SIM: the one way to people that needs no internet.

`pdu` makes messages, `at` reads a modem's lines (both pure), `dialog` asks and waits, `serial_modem` owns the port.
"""

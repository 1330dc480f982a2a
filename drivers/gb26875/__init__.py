"""GB/T 26875.3-2011, by which a user information transmission device (用户信息传输装置) reports to a fire centre.

frames.py    a packet: control unit, application data unit, checksum; bytes to packets and back
units.py     what a packet says: states, analog values, operations, versions, questions, commands
stamps.py    the time in six bytes      text.py     Chinese in GB 18030, cut to size
tables.py    names of systems, components, states and quantities, read from tables.toml

All of it is pure. The gateway is the device's end of it, `drivers/sim/centre.py` pretends to be the centre's.
"""

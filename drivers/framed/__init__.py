"""Devices that are no Modbus as data: radars, ultrasonic sensors, inclinometers, whatever sends frames by a fixed rule.

layout.py     how a product frames what it says     values.py      where a point stands in a frame
checksums.py  what proves a frame                   tables.py      both, out of a profile
codec.py      bytes to frames and back, pure        member.py      one device and what it is asked
line.py       the port, one timer                   listening.py   what frames and silences mean
"""

"""The sink of the journal that reports to fire centres by GB/T 26875.3-2011.

service.py    stays connected, says when it cannot     session.py   the work on one connection
exchange.py   serial numbers, answers, re-sends         link.py      one TCP connection
facility.py   what each row says to a centre            drain.py     analog values, when nothing else waits
answers.py    what a centre gets that asks or orders    clock.py     what its word on the time is worth
mapping.py    our kinds, products and units as theirs   parts.py     what a session works with
"""

"""What is installed: each device with its model, place, dates and service life, from ledgers and from gateways.

How it hangs together: gateway/core/installed.py says what a device is and when something about it is due, its neighbour
ledger_columns.py what a column is; `ledger` reads and writes a person's table, `sheets` its file; `reports` hears
gateways; `telling` tells once a day what is due.
"""

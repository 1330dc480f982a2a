"""The desk's pages and their API: one table of endpoints, one question who asks, one answer in words.

How it hangs together: `endpoints` turns a table into routes and asks `asking` who is there and `permissions` what
they may; the `api_` files do what is asked, in transactions of the store; `live` tells open pages what has changed;
`pages` paints them first. All of it goes through `app`.
"""

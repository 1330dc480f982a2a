"""Evidence: stills and clips put together from their parts, photos of people, all in one folder under a quota.

`parts` reads what comes and `sorts` says what bytes are, both pure; `unfinished` and `folder` are the disk;
`service` has them work together with the record.
"""

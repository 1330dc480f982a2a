"""Evidence: stills and clips put together from their parts, photos of people, all in one folder under a quota.

`parts` reads what comes, and is pure; what bytes are says `gateway.desk.media`; `unfinished` and `folder` are the disk;
`service` has them work together with the record.
"""

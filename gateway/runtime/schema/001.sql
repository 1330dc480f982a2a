-- Journal, version 1. Rows are immutable. position = (epoch << 40) | seq; ordinal counts the rows of one table
-- without a gap, so a row that vanished is noticed and the depth of a queue is a subtraction.
-- Two tables of one shape: alerts are found without reading past a million readings, and what is thinned gives
-- whole pages back. All are rowid tables: the salvage knows only that kind of page.
CREATE TABLE urgent (
    position INTEGER PRIMARY KEY,
    ordinal INTEGER NOT NULL,
    kind TEXT NOT NULL,
    time REAL NOT NULL,
    checksum INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE readings (
    position INTEGER PRIMARY KEY,
    ordinal INTEGER NOT NULL,
    kind TEXT NOT NULL,
    time REAL NOT NULL,
    checksum INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;

-- Whole numbers that only grow (cursors, the epoch, what retention has cut), and whether we were closed in peace.
CREATE TABLE mark (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    checksum INTEGER NOT NULL
) STRICT;

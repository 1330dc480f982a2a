-- The record: every alert event once, by the number its gateway gave it.
CREATE TABLE events (
    gateway TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    previous INTEGER,                -- seq of the alert event before it; NULL: the first of all
    alert TEXT NOT NULL,             -- <gateway>/<subject>: a gateway can touch no alert but its own
    change TEXT NOT NULL,
    time REAL NOT NULL,              -- the gateway's, wall seconds
    received REAL NOT NULL,          -- ours
    body TEXT NOT NULL,
    PRIMARY KEY (gateway, epoch, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_of_alert ON events (alert, epoch, seq);

-- What sensors say: each alert as its newest event by (epoch, seq) left it. Nothing a person did stands here.
CREATE TABLE alerts (
    alert TEXT PRIMARY KEY,
    gateway TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    rank INTEGER NOT NULL,           -- 3 critical, 2 major, 1 minor, 0 info
    change TEXT NOT NULL,
    state TEXT NOT NULL,
    place TEXT NOT NULL,             -- JSON
    time REAL NOT NULL,
    first_seen REAL NOT NULL,
    count INTEGER NOT NULL,
    zh TEXT NOT NULL,
    en TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What people do about it: belongs to the alert's life; no event writes here, but that what comes again is open again.
CREATE TABLE work (
    alert TEXT PRIMARY KEY,
    incident TEXT NOT NULL,
    opened_at REAL NOT NULL,
    state TEXT NOT NULL,
    version INTEGER NOT NULL,
    assignee TEXT,
    acknowledged_by TEXT,
    acknowledged_at REAL,
    arrived_at REAL,
    closed_by TEXT,
    closed_at REAL,
    cause TEXT,
    note TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX work_of_incident ON work (incident, state);

-- Every step; a step's client-made UUID is its `command`, so the row is also the answer to a repeat.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    subject TEXT NOT NULL,           -- an alert, an incident, a silence, a gateway
    at REAL NOT NULL,
    who TEXT NOT NULL,
    step TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,            -- JSON
    command TEXT UNIQUE
) STRICT;
CREATE INDEX audit_of_subject ON audit (subject, id);

CREATE TABLE people (
    person TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    language TEXT NOT NULL,
    channels TEXT NOT NULL           -- JSON: [[channel, address], ...] in the order they are tried
) STRICT, WITHOUT ROWID;

CREATE TABLE roles (
    person TEXT NOT NULL,
    role TEXT NOT NULL,
    place TEXT NOT NULL,             -- JSON: where it holds; {} everywhere
    PRIMARY KEY (person, role, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE roster (
    duty INTEGER NOT NULL,
    position INTEGER NOT NULL,       -- who is called first
    person TEXT NOT NULL,
    place TEXT NOT NULL,             -- JSON
    kinds TEXT NOT NULL,             -- JSON: kinds or families of them; [] all
    times TEXT NOT NULL,             -- JSON: times of the week
    PRIMARY KEY (duty, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE places (
    path TEXT PRIMARY KEY,           -- JSON list of [level, name] from the community down
    parent TEXT,
    level TEXT NOT NULL,
    name TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX places_of_parent ON places (parent);

-- Alerts of one kind in one compound within a while of one another are one incident.
CREATE TABLE heads (
    key TEXT PRIMARY KEY,
    number INTEGER NOT NULL,         -- of the present incident
    count INTEGER NOT NULL,          -- alerts in it
    last_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE incidents (
    incident TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    opened_at REAL NOT NULL,
    rank INTEGER NOT NULL            -- the worst there was
) STRICT, WITHOUT ROWID;

-- Escalation: one timer per incident. due_at NULL: nothing is waited for.
CREATE TABLE timers (
    incident TEXT PRIMARY KEY,
    round INTEGER NOT NULL,
    step INTEGER NOT NULL,
    due_at REAL,
    news_at REAL,                    -- the incident has grown and people are to be told
    next_news INTEGER NOT NULL,      -- at this many alerts
    again INTEGER NOT NULL           -- 1: it became worse; page even what is acknowledged
) STRICT, WITHOUT ROWID;
CREATE INDEX timers_due ON timers (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX timers_news ON timers (news_at) WHERE news_at IS NOT NULL;

CREATE TABLE notifications (
    id TEXT PRIMARY KEY,             -- <incident>|<round>.<step>|<person>: the same step cannot be told twice
    incident TEXT NOT NULL,
    person TEXT NOT NULL,
    language TEXT NOT NULL,
    channels TEXT NOT NULL,          -- JSON
    channel INTEGER NOT NULL,        -- index of the one being tried
    attempts INTEGER NOT NULL,       -- on that channel
    rank INTEGER NOT NULL,
    zh TEXT NOT NULL,
    en TEXT NOT NULL,
    created_at REAL NOT NULL,
    due_at REAL NOT NULL,
    state TEXT NOT NULL,             -- waiting, delivered, failed
    owner TEXT NOT NULL,
    leased_until REAL NOT NULL,
    answer TEXT NOT NULL,
    sent_at REAL,
    sent_by TEXT,                    -- the channel that took it
    merged_into TEXT                 -- told as part of this one's summary
) STRICT, WITHOUT ROWID;
CREATE INDEX notifications_due ON notifications (rank DESC, due_at) WHERE state = 'waiting';
CREATE INDEX notifications_sent ON notifications (sent_by, sent_at) WHERE sent_at IS NOT NULL;

CREATE TABLE silences (
    id TEXT PRIMARY KEY,
    place TEXT NOT NULL,             -- JSON
    kind TEXT NOT NULL,              -- a kind or a family; '' all
    until REAL NOT NULL,
    reason TEXT NOT NULL,
    who TEXT NOT NULL,
    made_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE gateways (
    gateway TEXT PRIMARY KEY,
    availability TEXT NOT NULL,
    changed_at REAL NOT NULL,
    heard_at REAL NOT NULL,
    health TEXT NOT NULL,
    place TEXT NOT NULL,
    quiet_since REAL                 -- NULL: it is heard
) STRICT, WITHOUT ROWID;

-- The record: every alert event once, by the number its gateway gave it.
CREATE TABLE events (
    gateway TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    previous BIGINT,                -- seq of the alert event before it; NULL: the first of all
    alert TEXT NOT NULL,             -- <gateway>/<subject>: a gateway can touch no alert but its own
    change TEXT NOT NULL,
    time DOUBLE PRECISION NOT NULL,              -- the gateway's, wall seconds
    received DOUBLE PRECISION NOT NULL,          -- ours
    body TEXT NOT NULL,
    PRIMARY KEY (gateway, epoch, seq)
);
CREATE INDEX events_of_alert ON events (alert, epoch, seq);

-- What sensors say: each alert as its newest event by (epoch, seq) left it. Nothing a person did stands here.
CREATE TABLE alerts (
    alert TEXT PRIMARY KEY,
    gateway TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    rank BIGINT NOT NULL,           -- 3 critical, 2 major, 1 minor, 0 info
    change TEXT NOT NULL,
    state TEXT NOT NULL,
    place TEXT NOT NULL,             -- JSON
    time DOUBLE PRECISION NOT NULL,
    first_seen DOUBLE PRECISION NOT NULL,
    count BIGINT NOT NULL,
    zh TEXT NOT NULL,
    en TEXT NOT NULL,
    body TEXT NOT NULL
);

-- What people do about it: belongs to the alert's life; no event writes here, but that what comes again is open again.
CREATE TABLE work (
    alert TEXT PRIMARY KEY,
    incident TEXT NOT NULL,
    opened_at DOUBLE PRECISION NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    assignee TEXT,
    acknowledged_by TEXT,
    acknowledged_at DOUBLE PRECISION,
    arrived_at DOUBLE PRECISION,
    closed_by TEXT,
    closed_at DOUBLE PRECISION,
    cause TEXT,
    note TEXT
);
CREATE INDEX work_of_incident ON work (incident, state);

-- Every step; a step's client-made UUID is its `command`, so the row is also the answer to a repeat.
CREATE TABLE audit (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject TEXT NOT NULL,           -- an alert, an incident, a silence, a gateway
    at DOUBLE PRECISION NOT NULL,
    who TEXT NOT NULL,
    step TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,            -- JSON
    command TEXT UNIQUE
);
CREATE INDEX audit_of_subject ON audit (subject, id);

CREATE TABLE people (
    person TEXT PRIMARY KEY,
    position BIGINT NOT NULL,
    language TEXT NOT NULL,
    channels TEXT NOT NULL           -- JSON: [[channel, address], ...] in the order they are tried
);

CREATE TABLE roles (
    person TEXT NOT NULL,
    role TEXT NOT NULL,
    place TEXT NOT NULL,             -- JSON: where it holds; {} everywhere
    PRIMARY KEY (person, role, place)
);

CREATE TABLE roster (
    duty BIGINT NOT NULL,
    position BIGINT NOT NULL,       -- who is called first
    person TEXT NOT NULL,
    place TEXT NOT NULL,             -- JSON
    kinds TEXT NOT NULL,             -- JSON: kinds or families of them; [] all
    times TEXT NOT NULL,             -- JSON: times of the week
    PRIMARY KEY (duty, position)
);

CREATE TABLE places (
    path TEXT PRIMARY KEY,           -- JSON list of [level, name] from the community down
    parent TEXT,
    level TEXT NOT NULL,
    name TEXT NOT NULL
);
CREATE INDEX places_of_parent ON places (parent);

-- Alerts of one kind in one compound within a while of one another are one incident.
CREATE TABLE heads (
    key TEXT PRIMARY KEY,
    number BIGINT NOT NULL,         -- of the present incident
    count BIGINT NOT NULL,          -- alerts in it
    last_at DOUBLE PRECISION NOT NULL
);

CREATE TABLE incidents (
    incident TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    opened_at DOUBLE PRECISION NOT NULL,
    rank BIGINT NOT NULL            -- the worst there was
);

-- Escalation: one timer per incident. due_at NULL: nothing is waited for.
CREATE TABLE timers (
    incident TEXT PRIMARY KEY,
    round BIGINT NOT NULL,
    step BIGINT NOT NULL,
    due_at DOUBLE PRECISION,
    news_at DOUBLE PRECISION,                    -- the incident has grown and people are to be told
    next_news BIGINT NOT NULL,      -- at this many alerts
    again BIGINT NOT NULL           -- 1: it became worse; page even what is acknowledged
);
CREATE INDEX timers_due ON timers (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX timers_news ON timers (news_at) WHERE news_at IS NOT NULL;

CREATE TABLE notifications (
    id TEXT PRIMARY KEY,             -- <incident>|<round>.<step>|<person>: the same step cannot be told twice
    incident TEXT NOT NULL,
    person TEXT NOT NULL,
    language TEXT NOT NULL,
    channels TEXT NOT NULL,          -- JSON
    channel BIGINT NOT NULL,        -- index of the one being tried
    attempts BIGINT NOT NULL,       -- on that channel
    rank BIGINT NOT NULL,
    zh TEXT NOT NULL,
    en TEXT NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    due_at DOUBLE PRECISION NOT NULL,
    state TEXT NOT NULL,             -- waiting, delivered, failed
    owner TEXT NOT NULL,
    leased_until DOUBLE PRECISION NOT NULL,
    answer TEXT NOT NULL,
    sent_at DOUBLE PRECISION,
    sent_by TEXT,                    -- the channel that took it
    merged_into TEXT                 -- told as part of this one's summary
);
CREATE INDEX notifications_due ON notifications (rank DESC, due_at) WHERE state = 'waiting';
CREATE INDEX notifications_sent ON notifications (sent_by, sent_at) WHERE sent_at IS NOT NULL;

CREATE TABLE silences (
    id TEXT PRIMARY KEY,
    place TEXT NOT NULL,             -- JSON
    kind TEXT NOT NULL,              -- a kind or a family; '' all
    until DOUBLE PRECISION NOT NULL,
    reason TEXT NOT NULL,
    who TEXT NOT NULL,
    made_at DOUBLE PRECISION NOT NULL
);

CREATE TABLE gateways (
    gateway TEXT PRIMARY KEY,
    availability TEXT NOT NULL,
    changed_at DOUBLE PRECISION NOT NULL,
    heard_at DOUBLE PRECISION NOT NULL,
    health TEXT NOT NULL,
    place TEXT NOT NULL,
    quiet_since DOUBLE PRECISION                 -- NULL: it is heard
);

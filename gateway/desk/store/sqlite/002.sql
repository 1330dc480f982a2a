-- What has changed, in order, for pages that are open: an id a page can resume from. Old rows are forgotten.
CREATE TABLE news (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    topic TEXT NOT NULL,             -- alert, gateway, silence, asset, order, door, phone
    subject TEXT NOT NULL
) STRICT;
CREATE INDEX news_at ON news (at);

-- Phones and browsers that were let in. Only the hash of what a phone holds is kept.
CREATE TABLE phones (
    phone TEXT PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    person TEXT,                     -- NULL: shared, whoever is on duty says so
    place TEXT NOT NULL,             -- JSON: where a shared phone reaches at most; {} everywhere
    label TEXT NOT NULL,
    acting TEXT,                     -- on a shared phone: who has it now
    acting_since REAL,
    made_by TEXT NOT NULL,
    made_at REAL NOT NULL,
    seen_at REAL NOT NULL,
    revoked_at REAL
) STRICT, WITHOUT ROWID;

-- Words that let one phone in, once, for a few minutes; again only their hash.
CREATE TABLE pairings (
    hash TEXT PRIMARY KEY,
    person TEXT,                     -- NULL: a shared phone
    place TEXT NOT NULL,             -- JSON: where it reaches at most
    label TEXT NOT NULL,
    made_by TEXT NOT NULL,
    until REAL NOT NULL,
    used_at REAL
) STRICT, WITHOUT ROWID;

-- Stills, clips and photos by their SHA-256; the bytes are files of a folder.
CREATE TABLE files (
    sha256 TEXT PRIMARY KEY,
    kind TEXT NOT NULL,              -- still, clip, photo
    media TEXT NOT NULL,             -- image/jpeg, video/mp4, ...
    size INTEGER NOT NULL,
    made_at REAL NOT NULL,
    made_by TEXT NOT NULL,           -- a gateway or a person
    gone_at REAL                     -- thrown away for the quota
) STRICT, WITHOUT ROWID;

-- Which files belong to which alert.
CREATE TABLE attachments (
    alert TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    at REAL NOT NULL,
    who TEXT NOT NULL,
    PRIMARY KEY (alert, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX attachments_of_file ON attachments (sha256);
CREATE INDEX files_gone ON files (gone_at) WHERE gone_at IS NOT NULL;

-- What is installed: from ledgers and from what gateways report. Nothing a gateway reports writes over what a person wrote.
CREATE TABLE assets (
    asset TEXT PRIMARY KEY,          -- <gateway>/<device>
    gateway TEXT NOT NULL,
    device TEXT NOT NULL,
    kind TEXT NOT NULL,              -- smoke, gas, door, ...
    model TEXT NOT NULL,
    place TEXT NOT NULL,             -- JSON
    serial TEXT NOT NULL,
    installed_on TEXT,               -- dates as YYYY-MM-DD
    service_years REAL,
    tested_on TEXT,
    maintain_on TEXT,                -- the next time
    note TEXT NOT NULL,
    reported TEXT NOT NULL,          -- JSON: what its gateway last said of it
    reported_at REAL,
    gone_at REAL,                    -- its gateway has it no more
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX assets_of_gateway ON assets (gateway);

-- Orders to gateways, signed by the desk. Written before they are sent; never sent after `until`.
CREATE TABLE orders (
    id TEXT PRIMARY KEY,             -- the jti: an order given again keeps it
    gateway TEXT NOT NULL,
    target TEXT NOT NULL,
    action TEXT NOT NULL,
    arguments TEXT NOT NULL,         -- JSON
    who TEXT NOT NULL,
    phone TEXT NOT NULL,             -- the label of the phone it was given on
    made_at REAL NOT NULL,
    until REAL NOT NULL,
    state TEXT NOT NULL,             -- waiting, sent, done, failed, late, refused, unknown
    detail TEXT NOT NULL,            -- JSON: in words, and what the gateway said itself
    sent INTEGER NOT NULL,           -- copies that went out; as many refused: none of them can have done anything
    refused INTEGER NOT NULL,
    owner TEXT NOT NULL,
    leased_until REAL NOT NULL     -- until then an outcome is waited for; then whoever is there goes on
) STRICT, WITHOUT ROWID;
CREATE INDEX orders_open ON orders (made_at) WHERE state IN ('waiting', 'sent');
CREATE INDEX orders_of_target ON orders (gateway, target);

-- How doors stand, as their gateways told last; which doors there are stands in a gateway's health.
CREATE TABLE doors (
    gateway TEXT NOT NULL,
    door TEXT NOT NULL,
    body TEXT NOT NULL,              -- JSON, as published
    at REAL NOT NULL,
    PRIMARY KEY (gateway, door)
) STRICT, WITHOUT ROWID;

-- Browsers that take Web Push.
CREATE TABLE pushes (
    endpoint TEXT PRIMARY KEY,
    phone TEXT NOT NULL,
    person TEXT NOT NULL,
    keys TEXT NOT NULL,              -- JSON: p256dh, auth
    made_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- People whom no channel reached, until a page reaches them again: each is an alert of the desk's own.
CREATE TABLE unreached (
    person TEXT PRIMARY KEY,
    since REAL NOT NULL,
    answer TEXT NOT NULL             -- what the last channel said
) STRICT, WITHOUT ROWID;

-- What somebody is called by.
ALTER TABLE people ADD COLUMN phone TEXT NOT NULL DEFAULT '';

-- Who was told of an incident.
CREATE INDEX notifications_of_incident ON notifications (incident);
CREATE INDEX work_closed ON work (closed_at) WHERE closed_at IS NOT NULL;
-- What is looked for by the clock: events of late, alerts of the desk's own that stand.
CREATE INDEX events_received ON events (received);
CREATE INDEX alerts_standing ON alerts (kind) WHERE change <> 'cleared';

-- Figures about a span of days look at nothing else.
CREATE INDEX work_opened ON work (opened_at);

-- Which device an alert is of; '' where it is of none.
ALTER TABLE alerts ADD COLUMN device TEXT NOT NULL DEFAULT '';

-- When a timer was set: in the future, the clock was set back since.
ALTER TABLE timers ADD COLUMN set_at REAL NOT NULL DEFAULT 0;

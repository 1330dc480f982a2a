-- What residents agreed to, as desk.toml has it: who may see what is known of them, and for how long it is kept.
CREATE TABLE consents (
    gateway TEXT NOT NULL,
    code TEXT NOT NULL,
    see TEXT NOT NULL,               -- JSON: roles and people
    shown TEXT NOT NULL,             -- how much of the place everybody else sees: building, unit, floor
    keep_days REAL,                  -- NULL: the desk's own
    name TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (gateway, code)
) STRICT, WITHOUT ROWID;

-- What of an alert only some may see. It stands here and in care_told and nowhere else: whoever does not ask for it
-- by name shows nothing of it, and it can be thrown away whole.
CREATE TABLE care (
    alert TEXT PRIMARY KEY,
    gateway TEXT NOT NULL,
    code TEXT NOT NULL,              -- whom it concerns; '' or '?' nobody knows
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    where_zh TEXT NOT NULL,          -- down to the door
    where_en TEXT NOT NULL,
    zh TEXT NOT NULL,
    en TEXT NOT NULL,
    withdrawn INTEGER NOT NULL       -- 1: consent was taken back, it goes as soon as the alert is closed
) STRICT, WITHOUT ROWID;
CREATE INDEX care_of_resident ON care (gateway, code);

CREATE TABLE care_told (
    alert TEXT NOT NULL,
    part TEXT NOT NULL,              -- an event by its number, a step by its id
    told TEXT NOT NULL,              -- JSON
    PRIMARY KEY (alert, part)
) STRICT, WITHOUT ROWID;

-- Who looked at what only some may see. Written once, changed by nobody; what is three years old may go.
CREATE TABLE looks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    alert TEXT NOT NULL,
    kind TEXT NOT NULL,
    place TEXT NOT NULL,             -- JSON: as everybody sees it
    at REAL NOT NULL,
    who TEXT NOT NULL,
    phone TEXT NOT NULL,
    what TEXT NOT NULL               -- place, details, picture
) STRICT;
CREATE INDEX looks_at ON looks (at);
CREATE INDEX looks_of_alert ON looks (alert, id);
CREATE TRIGGER looks_stay BEFORE UPDATE ON looks BEGIN SELECT RAISE(ABORT, 'looks are append-only'); END;
CREATE TRIGGER looks_are_kept BEFORE DELETE ON looks WHEN OLD.at > strftime('%s', 'now') - 94608000
    BEGIN SELECT RAISE(ABORT, 'looks are append-only'); END;

-- How much of the place of an alert about a resident everybody sees; '' for all other alerts.
ALTER TABLE alerts ADD COLUMN shown TEXT NOT NULL DEFAULT '';

-- What stood open until now: the words go where they belong, what people wrote about residents goes for good.
INSERT INTO care SELECT alert, gateway, '', epoch, seq, zh, en, zh, en, 0 FROM alerts WHERE kind LIKE 'care.%';
INSERT INTO care_told SELECT alert, 'event ' || epoch || '.' || seq, body FROM events WHERE alert IN (SELECT alert FROM care);
UPDATE events SET body = '{}' WHERE alert IN (SELECT alert FROM care);
UPDATE work SET note = NULL, cause = NULL WHERE alert IN (SELECT alert FROM care);
UPDATE audit SET detail = '{}', command = NULL WHERE subject IN (SELECT alert FROM care);
UPDATE alerts SET shown = 'unit', device = '', body = '{}',
    zh = coalesce(nullif(json_extract(place, '$.building'), '') || ' 栋 ', '') ||
        coalesce(nullif(json_extract(place, '$.unit'), '') || ' 单元 ', '') ||
        '有人需要看望',
    en = 'Somebody may need help' || coalesce(', building ' || nullif(json_extract(place, '$.building'), ''), '') ||
        coalesce(', unit ' || nullif(json_extract(place, '$.unit'), ''), '')
    WHERE kind LIKE 'care.%';
UPDATE notifications SET (zh, en) =
    (SELECT a.zh, a.en FROM work w JOIN alerts a ON a.alert = w.alert WHERE w.incident = notifications.incident LIMIT 1)
    WHERE incident IN (SELECT incident FROM work WHERE alert IN (SELECT alert FROM care));

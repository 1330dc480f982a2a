-- Damaged files that were set aside, and what was lost with each: told to people once, as an alert of the desk's own.
CREATE TABLE salvages (
    at REAL PRIMARY KEY,
    aside TEXT NOT NULL,             -- where the old file lies
    lost TEXT NOT NULL,              -- JSON: tables, and how many rows of each; null: nobody can say
    told INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Every phone a second time, in other pages: one that rots lets nobody have to pair anew.
CREATE INDEX phones_twin ON phones (
    phone, hash, person, place, label, acting, acting_since, made_by, made_at, seen_at, revoked_at
);

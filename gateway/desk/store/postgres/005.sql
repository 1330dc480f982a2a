-- Damaged SQLite files that were set aside; the server looks after its own.
CREATE TABLE salvages (
    at DOUBLE PRECISION PRIMARY KEY,
    aside TEXT NOT NULL,
    lost TEXT NOT NULL,
    told BIGINT NOT NULL DEFAULT 0
);

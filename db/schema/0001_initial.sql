-- Times are Unix seconds, *_ms milliseconds; 0 means never. Addresses are 16 bytes, IPv4 v4-mapped.

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
    password TEXT NOT NULL,
    seed BLOB NOT NULL,
    totp_step INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    signed_in_at INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE
) STRICT;

CREATE TABLE members (
    group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, user_id)
) STRICT;

CREATE TABLE desktops (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    host TEXT NOT NULL,
    port INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
    description TEXT NOT NULL DEFAULT '',
    mac TEXT NOT NULL DEFAULT ''
) STRICT;

-- Exactly one of user_id and group_id.
CREATE TABLE grants (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
    group_id INTEGER REFERENCES groups (id) ON DELETE CASCADE,
    desktop_id INTEGER NOT NULL REFERENCES desktops (id) ON DELETE CASCADE,
    CHECK ((user_id IS NULL) <> (group_id IS NULL)),
    UNIQUE (user_id, desktop_id),
    UNIQUE (group_id, desktop_id)
) STRICT;

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash BLOB NOT NULL UNIQUE,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL DEFAULT 0,
    end_reason TEXT NOT NULL DEFAULT '',
    address BLOB NOT NULL,
    agent TEXT NOT NULL DEFAULT ''
) STRICT;

-- Names stay when the person or the desktop is gone; host and port are what was dialled.
CREATE TABLE tunnels (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id INTEGER REFERENCES sessions (id) ON DELETE SET NULL,
    user_id INTEGER REFERENCES users (id) ON DELETE SET NULL,
    desktop_id INTEGER REFERENCES desktops (id) ON DELETE SET NULL,
    user_name TEXT NOT NULL,
    desktop_name TEXT NOT NULL,
    host TEXT NOT NULL,
    port INTEGER NOT NULL,
    way TEXT NOT NULL,
    conn TEXT NOT NULL,
    address BLOB NOT NULL,
    opened_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL DEFAULT 0,
    up INTEGER NOT NULL DEFAULT 0,
    down INTEGER NOT NULL DEFAULT 0,
    end_reason TEXT NOT NULL DEFAULT '',
    end_requested INTEGER NOT NULL DEFAULT 0 CHECK (end_requested IN (0, 1))
) STRICT;

CREATE TABLE throttle (
    key TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    since INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    event TEXT NOT NULL,
    outcome TEXT NOT NULL,
    who TEXT NOT NULL,
    by TEXT NOT NULL,
    desktop TEXT NOT NULL,
    conn TEXT NOT NULL,
    address BLOB,
    detail TEXT NOT NULL
) STRICT;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

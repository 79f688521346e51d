-- What the browser needs: enrolment by the people themselves, tickets, trust in certificates.

CREATE TABLE invitations (
    user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- A second factor that is offered and not yet confirmed by a code of it.
CREATE TABLE offers (
    user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    seed BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE recovery_codes (
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash BLOB NOT NULL,
    used_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, hash)
) STRICT, WITHOUT ROWID;

-- outcome is why it was refused; tunnel_id is 0 until the tunnel is there.
CREATE TABLE tickets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash BLOB NOT NULL UNIQUE,
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    desktop_id INTEGER NOT NULL REFERENCES desktops (id) ON DELETE CASCADE,
    way TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL DEFAULT 0,
    tunnel_id INTEGER NOT NULL DEFAULT 0,
    outcome TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX tickets_session ON tickets (session_id);
CREATE INDEX tickets_desktop ON tickets (desktop_id);
CREATE INDEX tunnels_used ON tunnels (user_id, desktop_id, opened_at);

-- The certificate is known by the SHA-256 of its DER; NULL: none seen yet.
ALTER TABLE desktops ADD COLUMN trust TEXT NOT NULL DEFAULT 'first-use'
    CHECK (trust IN ('first-use', 'pin', 'ca'));
ALTER TABLE desktops ADD COLUMN fingerprint BLOB;
ALTER TABLE desktops ADD COLUMN fingerprint_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE desktops ADD COLUMN same_credentials INTEGER NOT NULL DEFAULT 0
    CHECK (same_credentials IN (0, 1));

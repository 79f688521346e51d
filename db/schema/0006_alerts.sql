-- What alerts remember: those that were raised, how far the audit log has been looked through, and
-- from which networks people have signed in.
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    rule TEXT NOT NULL,
    subject TEXT NOT NULL,
    message TEXT NOT NULL,
    who TEXT NOT NULL,
    address BLOB,
    desktop TEXT NOT NULL,
    test INTEGER NOT NULL CHECK (test IN (0, 1)),
    sent INTEGER NOT NULL DEFAULT 0 CHECK (sent IN (0, 1))
) STRICT;
CREATE INDEX alerts_subject ON alerts (rule, subject, at);
CREATE INDEX alerts_time ON alerts (at);
CREATE INDEX alerts_unsent ON alerts (id) WHERE sent = 0;

CREATE TABLE alert_place (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    audit_id INTEGER NOT NULL
) STRICT;

CREATE TABLE networks (
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    network BLOB NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, network)
) STRICT;

CREATE INDEX audit_failures_who ON audit (who COLLATE NOCASE, at_ms)
WHERE outcome IN ('denied', 'throttled');
CREATE INDEX audit_failures_address ON audit (address, at_ms)
WHERE outcome IN ('denied', 'throttled');

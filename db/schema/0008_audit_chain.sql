-- The audit log as a chain (db/audit_chain.h). Rows from before this step get their links within it,
-- by db/migrate.c; from then on each row is written with its own.
ALTER TABLE audit ADD COLUMN chain BLOB CHECK (chain IS NULL OR length(chain) = 32);

-- The last row and its link, sealed with a key that is not in the database: where the chain goes on,
-- whatever has become of the rows before. No seal: written by somebody who did not have the key.
CREATE TABLE audit_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id INTEGER NOT NULL,
    link BLOB NOT NULL CHECK (length(link) = 32),
    seal BLOB CHECK (seal IS NULL OR length(seal) = 32)
) STRICT;

-- Where verifying begins: rows up to there have been archived and removed, or an administrator has
-- accepted that something is wrong with them.
CREATE TABLE audit_checkpoints (
    id INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('archived', 'accepted')),
    at INTEGER NOT NULL,
    link BLOB NOT NULL CHECK (length(link) = 32),
    seal BLOB NOT NULL CHECK (length(seal) = 32),
    PRIMARY KEY (kind, id)
) STRICT;

-- How far rows have been handed to syslog.
CREATE TABLE audit_forwarded (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id INTEGER NOT NULL
) STRICT;

DROP TRIGGER audit_is_not_changed;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
WHEN OLD.chain IS NOT NULL OR NEW.chain IS NULL OR NEW.id <> OLD.id OR NEW.at_ms <> OLD.at_ms
    OR NEW.event <> OLD.event OR NEW.outcome <> OLD.outcome OR NEW.who <> OLD.who
    OR NEW.by <> OLD.by OR NEW.desktop <> OLD.desktop OR NEW.conn <> OLD.conn
    OR NEW.address IS NOT OLD.address OR NEW.detail <> OLD.detail
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

DROP TRIGGER audit_is_not_removed;
CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
WHEN OLD.id > coalesce((SELECT max(id) FROM audit_checkpoints WHERE kind = 'archived'), 0)
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_is_linked BEFORE INSERT ON audit
WHEN NEW.chain IS NULL
BEGIN
    SELECT RAISE(ABORT, 'a row of the audit log needs its link');
END;

CREATE TRIGGER audit_checkpoints_are_true BEFORE INSERT ON audit_checkpoints
WHEN NEW.link IS NOT (SELECT chain FROM audit WHERE id = NEW.id)
    OR NEW.id <= coalesce((SELECT max(id) FROM audit_checkpoints WHERE kind = NEW.kind), 0)
BEGIN
    SELECT RAISE(ABORT, 'a checkpoint of the audit log is a row of it');
END;

CREATE TRIGGER audit_checkpoints_are_not_changed BEFORE UPDATE ON audit_checkpoints
BEGIN
    SELECT RAISE(ABORT, 'the checkpoints of the audit log stay');
END;

CREATE TRIGGER audit_checkpoints_are_not_removed BEFORE DELETE ON audit_checkpoints
BEGIN
    SELECT RAISE(ABORT, 'the checkpoints of the audit log stay');
END;

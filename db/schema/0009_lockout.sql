-- Whom and where a bucket of failures is of, to be listed and cleared; browsers that people have
-- signed in with. Counts of before are forgotten.
DELETE FROM throttle;
ALTER TABLE throttle ADD COLUMN bucket TEXT NOT NULL DEFAULT '';
-- NULL: of nobody, or of a name that nobody has.
ALTER TABLE throttle ADD COLUMN user_id INTEGER REFERENCES users (id) ON DELETE CASCADE;
-- NULL: of no place. Bits are counted over the 16 bytes.
ALTER TABLE throttle ADD COLUMN address BLOB;
ALTER TABLE throttle ADD COLUMN bits INTEGER NOT NULL DEFAULT 0;

CREATE TABLE browsers (
    hash BLOB PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX browsers_user ON browsers (user_id, used_at);

-- Whoever changes a password, a second factor or the right to come at all, may do so because
-- somebody else has come to know it.
CREATE TRIGGER browsers_are_forgotten AFTER UPDATE OF password, seed, disabled ON users
WHEN OLD.password <> NEW.password OR OLD.seed <> NEW.seed OR NEW.disabled = 1
BEGIN
    DELETE FROM browsers WHERE user_id = NEW.id;
END;

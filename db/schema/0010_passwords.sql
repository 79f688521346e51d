-- When a password was set, whether another one is due, and those of before, which are not taken
-- again.
ALTER TABLE users ADD COLUMN password_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN must_change INTEGER NOT NULL DEFAULT 0 CHECK (must_change IN (0, 1));
UPDATE users SET password_at = created_at;

CREATE TABLE passwords (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash TEXT NOT NULL
) STRICT;
CREATE INDEX passwords_user ON passwords (user_id, id);

-- As many as can be asked for (conf.h).
CREATE TRIGGER passwords_are_kept AFTER UPDATE OF password ON users
WHEN OLD.password <> NEW.password
BEGIN
    INSERT INTO passwords (user_id, hash) VALUES (OLD.id, OLD.password);
    DELETE FROM passwords WHERE user_id = OLD.id AND id NOT IN (
        SELECT id FROM passwords WHERE user_id = OLD.id ORDER BY id DESC LIMIT 24);
END;

-- Groups of desktops and grants for them; limits in time; how fresh a second factor a desktop wants;
-- who may administer.

-- Seconds; 0: what the configuration says.
ALTER TABLE users ADD COLUMN idle INTEGER NOT NULL DEFAULT 0 CHECK (idle >= 0);
ALTER TABLE users ADD COLUMN absolute INTEGER NOT NULL DEFAULT 0 CHECK (absolute >= 0);
ALTER TABLE desktops ADD COLUMN idle INTEGER NOT NULL DEFAULT 0 CHECK (idle >= 0);
ALTER TABLE desktops ADD COLUMN absolute INTEGER NOT NULL DEFAULT 0 CHECK (absolute >= 0);

-- Seconds that the second factor is fresh enough for this desktop; 0: as long as the session.
ALTER TABLE desktops ADD COLUMN step_up INTEGER NOT NULL DEFAULT 0 CHECK (step_up >= 0);
-- When the second factor was last shown.
ALTER TABLE sessions ADD COLUMN factor_at INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET factor_at = created_at;

ALTER TABLE users ADD COLUMN role TEXT NOT NULL DEFAULT 'user'
    CHECK (role IN ('user', 'administrator'));

CREATE TABLE desktop_groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE
) STRICT;

CREATE TABLE desktop_members (
    group_id INTEGER NOT NULL REFERENCES desktop_groups (id) ON DELETE CASCADE,
    desktop_id INTEGER NOT NULL REFERENCES desktops (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, desktop_id)
) STRICT;
CREATE INDEX desktop_members_desktop ON desktop_members (desktop_id);

-- Exactly one of user_id and group_id, and of desktop_id and desktop_group_id.
CREATE TABLE grants_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
    group_id INTEGER REFERENCES groups (id) ON DELETE CASCADE,
    desktop_id INTEGER REFERENCES desktops (id) ON DELETE CASCADE,
    desktop_group_id INTEGER REFERENCES desktop_groups (id) ON DELETE CASCADE,
    valid_from INTEGER NOT NULL DEFAULT 0,
    valid_until INTEGER NOT NULL DEFAULT 0,
    hours TEXT NOT NULL DEFAULT '',
    CHECK ((user_id IS NULL) <> (group_id IS NULL)),
    CHECK ((desktop_id IS NULL) <> (desktop_group_id IS NULL)),
    UNIQUE (user_id, desktop_id),
    UNIQUE (group_id, desktop_id),
    UNIQUE (user_id, desktop_group_id),
    UNIQUE (group_id, desktop_group_id)
) STRICT;
INSERT INTO grants_new (id, user_id, group_id, desktop_id, valid_from, valid_until, hours)
SELECT id, user_id, group_id, desktop_id, valid_from, valid_until, hours FROM grants;
DROP TABLE grants;
ALTER TABLE grants_new RENAME TO grants;
CREATE INDEX grants_desktop ON grants (desktop_id);
CREATE INDEX grants_desktop_group ON grants (desktop_group_id);

-- Who has which grant for which desktop, directly or by groups.
CREATE VIEW reaches AS
SELECT g.id AS grant_id, g.user_id AS user_id, g.desktop_id AS desktop_id
FROM grants g WHERE g.user_id IS NOT NULL AND g.desktop_id IS NOT NULL
UNION ALL
SELECT g.id, m.user_id, g.desktop_id
FROM grants g JOIN members m ON m.group_id = g.group_id WHERE g.desktop_id IS NOT NULL
UNION ALL
SELECT g.id, g.user_id, d.desktop_id
FROM grants g JOIN desktop_members d ON d.group_id = g.desktop_group_id
WHERE g.user_id IS NOT NULL
UNION ALL
SELECT g.id, m.user_id, d.desktop_id
FROM grants g JOIN members m ON m.group_id = g.group_id
JOIN desktop_members d ON d.group_id = g.desktop_group_id;

-- What an administrator says beyond grants: dates, hours, addresses, numbers. 0 and '' say nothing.

ALTER TABLE users ADD COLUMN valid_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN valid_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN tunnels INTEGER NOT NULL DEFAULT 0 CHECK (tunnels >= 0);
ALTER TABLE desktops ADD COLUMN tunnels INTEGER NOT NULL DEFAULT 0 CHECK (tunnels >= 0);

ALTER TABLE grants ADD COLUMN valid_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE grants ADD COLUMN valid_until INTEGER NOT NULL DEFAULT 0;
-- As typed, in the form of keeper/hours.h.
ALTER TABLE grants ADD COLUMN hours TEXT NOT NULL DEFAULT '';

-- Without a person and a group: the gateway's. Bits are counted over the 16 bytes.
CREATE TABLE nets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
    group_id INTEGER REFERENCES groups (id) ON DELETE CASCADE,
    allow INTEGER NOT NULL CHECK (allow IN (0, 1)),
    address BLOB NOT NULL CHECK (length(address) = 16),
    bits INTEGER NOT NULL CHECK (bits BETWEEN 0 AND 128),
    CHECK (user_id IS NULL OR group_id IS NULL)
) STRICT;

CREATE UNIQUE INDEX nets_once ON nets (coalesce(user_id, 0), coalesce(group_id, 0), address, bits);
CREATE INDEX nets_user ON nets (user_id);
CREATE INDEX nets_group ON nets (group_id);

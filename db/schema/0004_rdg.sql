-- What RDP clients need that use us as their RD Gateway.

-- forbidden: the bits of enum ipc_forbid. rdp_settings: lines of an .rdp file, each ended by a line
-- feed.
ALTER TABLE desktops ADD COLUMN forbidden INTEGER NOT NULL DEFAULT 0
    CHECK (forbidden BETWEEN 0 AND 31);
ALTER TABLE desktops ADD COLUMN rdp_settings TEXT NOT NULL DEFAULT '';

-- address: where it was made; of older ones it is not known. password: what a gateway password that
-- stands for this ticket is checked with, sealed; NULL: there is none.
ALTER TABLE tickets ADD COLUMN address BLOB NOT NULL DEFAULT x'';
ALTER TABLE tickets ADD COLUMN password BLOB;

-- An administrator's words to the person in front of a tunnel's client.
CREATE TABLE notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tunnel_id INTEGER NOT NULL REFERENCES tunnels (id) ON DELETE CASCADE,
    words TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX notices_tunnel ON notices (tunnel_id);

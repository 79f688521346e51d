-- name: desktop_add
INSERT INTO desktops (name, host, port, description, mac, same_credentials, forbidden,
    rdp_settings)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: desktop_by_name
SELECT id, name, host, port, description, mac, same_credentials, trust, fingerprint,
    fingerprint_at, forbidden, rdp_settings
FROM desktops WHERE name = ?1;

-- name: desktop_set
-- What was learnt at first use is another machine's when host or port are others.
UPDATE desktops SET
    fingerprint = CASE WHEN trust = 'first-use' AND (host <> ?3 OR port <> ?4) THEN NULL
        ELSE fingerprint END,
    fingerprint_at = CASE WHEN trust = 'first-use' AND (host <> ?3 OR port <> ?4) THEN 0
        ELSE fingerprint_at END,
    name = ?2, host = ?3, port = ?4, description = ?5, mac = ?6, same_credentials = ?7,
    forbidden = ?8, rdp_settings = ?9
WHERE id = ?1;

-- name: desktop_trust
UPDATE desktops SET trust = ?2, fingerprint = ?3,
    fingerprint_at = CASE WHEN ?3 IS NULL THEN 0 ELSE ?4 END
WHERE id = ?1;

-- name: desktop_fingerprint
UPDATE desktops SET fingerprint = ?2, fingerprint_at = ?3
WHERE id = ?1 AND trust = 'first-use' AND fingerprint IS NULL;

-- name: desktop_remove
DELETE FROM desktops WHERE id = ?1;

-- name: desktop_list
SELECT id, name, host, port, description, mac, same_credentials, trust, fingerprint,
    fingerprint_at, forbidden, rdp_settings
FROM desktops ORDER BY name;

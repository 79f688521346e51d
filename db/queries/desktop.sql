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

-- name: grant_add_user
INSERT INTO grants (user_id, desktop_id) VALUES (?1, ?2);

-- name: grant_add_group
INSERT INTO grants (group_id, desktop_id) VALUES (?1, ?2);

-- name: grant_remove_user
DELETE FROM grants WHERE user_id = ?1 AND desktop_id = ?2;

-- name: grant_remove_group
DELETE FROM grants WHERE group_id = ?1 AND desktop_id = ?2;

-- name: grant_list
SELECT g.group_id IS NOT NULL, coalesce(u.name, p.name) AS who, d.name AS desktop
FROM grants g JOIN desktops d ON d.id = g.desktop_id
LEFT JOIN users u ON u.id = g.user_id LEFT JOIN groups p ON p.id = g.group_id
ORDER BY desktop, who;

-- name: granted
SELECT d.id, d.name, d.host, d.port, d.description, d.mac, d.same_credentials, d.trust,
    d.fingerprint, d.fingerprint_at, d.forbidden, d.rdp_settings
FROM desktops d WHERE d.name = ?2
AND EXISTS (SELECT 1 FROM users WHERE id = ?1 AND disabled = 0)
AND EXISTS (SELECT 1 FROM grants g WHERE g.desktop_id = d.id
    AND (g.user_id = ?1 OR g.group_id IN (SELECT group_id FROM members WHERE user_id = ?1)));

-- name: granted_list
-- The pluses make the planner walk the few live tunnels instead of the person's history.
SELECT d.id, d.name, d.host, d.port, d.description, d.mac, d.same_credentials, d.trust,
    d.fingerprint, d.fingerprint_at, d.forbidden, d.rdp_settings,
    coalesce((SELECT max(t.opened_at) FROM tunnels t
        WHERE t.user_id = ?1 AND t.desktop_id = d.id), 0),
    d.id IN (SELECT +t.desktop_id FROM tunnels t WHERE +t.user_id = ?1 AND t.ended_at = 0)
FROM desktops d WHERE d.name > ?2 COLLATE NOCASE
AND EXISTS (SELECT 1 FROM users WHERE id = ?1 AND disabled = 0)
AND EXISTS (SELECT 1 FROM grants g WHERE g.desktop_id = d.id
    AND (g.user_id = ?1 OR g.group_id IN (SELECT group_id FROM members WHERE user_id = ?1)))
ORDER BY d.name LIMIT ?3;

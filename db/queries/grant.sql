-- In grant_add … grant_set_terms, 0 stands for none: ?1 person, ?2 group, ?3 desktop, ?4 group of
-- desktops.

-- name: grant_add
INSERT INTO grants (user_id, group_id, desktop_id, desktop_group_id)
VALUES (nullif(?1, 0), nullif(?2, 0), nullif(?3, 0), nullif(?4, 0));

-- name: grant_remove
DELETE FROM grants WHERE user_id IS nullif(?1, 0) AND group_id IS nullif(?2, 0)
AND desktop_id IS nullif(?3, 0) AND desktop_group_id IS nullif(?4, 0);

-- name: grant_terms
SELECT valid_from, valid_until, hours FROM grants
WHERE user_id IS nullif(?1, 0) AND group_id IS nullif(?2, 0)
AND desktop_id IS nullif(?3, 0) AND desktop_group_id IS nullif(?4, 0);

-- name: grant_set_terms
UPDATE grants SET valid_from = ?5, valid_until = ?6, hours = ?7
WHERE user_id IS nullif(?1, 0) AND group_id IS nullif(?2, 0)
AND desktop_id IS nullif(?3, 0) AND desktop_group_id IS nullif(?4, 0);

-- name: grant_list
SELECT g.group_id IS NOT NULL, coalesce(u.name, p.name) AS who,
    g.desktop_group_id IS NOT NULL AS desktops, coalesce(d.name, q.name) AS what,
    g.valid_from, g.valid_until, g.hours
FROM grants g LEFT JOIN users u ON u.id = g.user_id LEFT JOIN groups p ON p.id = g.group_id
LEFT JOIN desktops d ON d.id = g.desktop_id LEFT JOIN desktop_groups q ON q.id = g.desktop_group_id
ORDER BY desktops, what, who;

-- name: grant_list_for
SELECT g.group_id IS NOT NULL, coalesce(u.name, p.name), g.desktop_group_id IS NOT NULL,
    coalesce(d.name, q.name), g.valid_from, g.valid_until, g.hours
FROM reaches r JOIN grants g ON g.id = r.grant_id
LEFT JOIN users u ON u.id = g.user_id LEFT JOIN groups p ON p.id = g.group_id
LEFT JOIN desktops d ON d.id = g.desktop_id LEFT JOIN desktop_groups q ON q.id = g.desktop_group_id
WHERE r.user_id = ?1 AND r.desktop_id = ?2;

-- name: granted
SELECT d.id, d.name, d.host, d.port, d.description, d.mac, d.same_credentials, d.trust,
    d.fingerprint, d.fingerprint_at, d.forbidden, d.rdp_settings
FROM desktops d WHERE d.name = ?2
AND EXISTS (SELECT 1 FROM users WHERE id = ?1 AND disabled = 0)
AND EXISTS (SELECT 1 FROM reaches r WHERE r.user_id = ?1 AND r.desktop_id = d.id);

-- name: granted_list
-- The pluses make the planner walk the few live tunnels instead of the person's history.
SELECT d.id, d.name, d.host, d.port, d.description, d.mac, d.same_credentials, d.trust,
    d.fingerprint, d.fingerprint_at, d.forbidden, d.rdp_settings,
    coalesce((SELECT max(t.opened_at) FROM tunnels t
        WHERE t.user_id = ?1 AND t.desktop_id = d.id), 0),
    d.id IN (SELECT +t.desktop_id FROM tunnels t WHERE +t.user_id = ?1 AND t.ended_at = 0)
FROM desktops d WHERE d.name > ?2 COLLATE NOCASE
AND EXISTS (SELECT 1 FROM users WHERE id = ?1 AND disabled = 0)
AND EXISTS (SELECT 1 FROM reaches r WHERE r.user_id = ?1 AND r.desktop_id = d.id)
ORDER BY d.name LIMIT ?3;

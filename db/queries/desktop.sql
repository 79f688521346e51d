-- name: desktop_add
INSERT INTO desktops (name, host, port, description, mac) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: desktop_by_name
SELECT id, name, host, port, description, mac FROM desktops WHERE name = ?1;

-- name: desktop_set
UPDATE desktops SET name = ?2, host = ?3, port = ?4, description = ?5, mac = ?6 WHERE id = ?1;

-- name: desktop_remove
DELETE FROM desktops WHERE id = ?1;

-- name: desktop_list
SELECT id, name, host, port, description, mac FROM desktops ORDER BY name;

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
SELECT d.id, d.name, d.host, d.port, d.description, d.mac FROM desktops d
WHERE d.name = ?2
AND EXISTS (SELECT 1 FROM users WHERE id = ?1 AND disabled = 0)
AND EXISTS (SELECT 1 FROM grants g WHERE g.desktop_id = d.id
    AND (g.user_id = ?1 OR g.group_id IN (SELECT group_id FROM members WHERE user_id = ?1)));

-- name: granted_list
SELECT d.id, d.name, d.host, d.port, d.description, d.mac FROM desktops d
WHERE d.name > ?2 COLLATE NOCASE
AND EXISTS (SELECT 1 FROM users WHERE id = ?1 AND disabled = 0)
AND EXISTS (SELECT 1 FROM grants g WHERE g.desktop_id = d.id
    AND (g.user_id = ?1 OR g.group_id IN (SELECT group_id FROM members WHERE user_id = ?1)))
ORDER BY d.name LIMIT ?3;

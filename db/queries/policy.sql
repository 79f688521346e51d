-- name: policy_person
SELECT name, disabled, valid_from, valid_until, tunnels FROM users WHERE id = ?1;

-- name: policy_person_set
UPDATE users SET valid_from = ?2, valid_until = ?3, tunnels = ?4 WHERE id = ?1;

-- name: policy_desktop
SELECT name, tunnels FROM desktops WHERE id = ?1;

-- name: policy_desktop_set
UPDATE desktops SET tunnels = ?2 WHERE id = ?1;

-- name: policy_grants
SELECT coalesce(p.name, ''), g.valid_from, g.valid_until, g.hours
FROM grants g LEFT JOIN groups p ON p.id = g.group_id
WHERE g.desktop_id = ?2
AND (g.user_id = ?1 OR g.group_id IN (SELECT group_id FROM members WHERE user_id = ?1));

-- name: policy_grant_set_user
UPDATE grants SET valid_from = ?3, valid_until = ?4, hours = ?5 WHERE user_id = ?1 AND desktop_id = ?2;

-- name: policy_grant_set_group
UPDATE grants SET valid_from = ?3, valid_until = ?4, hours = ?5
WHERE group_id = ?1 AND desktop_id = ?2;

-- name: policy_grant_user
SELECT '', valid_from, valid_until, hours FROM grants WHERE user_id = ?1 AND desktop_id = ?2;

-- name: policy_grant_group
SELECT '', valid_from, valid_until, hours FROM grants WHERE group_id = ?1 AND desktop_id = ?2;

-- name: policy_nets
SELECT n.user_id IS NOT NULL, coalesce(p.name, ''), n.allow, n.address, n.bits
FROM nets n LEFT JOIN groups p ON p.id = n.group_id
WHERE (n.user_id IS NULL AND n.group_id IS NULL) OR n.user_id = ?1
OR n.group_id IN (SELECT group_id FROM members WHERE user_id = ?1);

-- name: policy_net_list
SELECT n.user_id IS NOT NULL, coalesce(p.name, u.name, ''), n.allow, n.address, n.bits
FROM nets n LEFT JOIN groups p ON p.id = n.group_id LEFT JOIN users u ON u.id = n.user_id
ORDER BY coalesce(n.group_id, 0), coalesce(n.user_id, 0), n.address, n.bits;

-- name: policy_net_add
INSERT INTO nets (user_id, group_id, allow, address, bits)
VALUES (nullif(?1, 0), nullif(?2, 0), ?3, ?4, ?5);

-- name: policy_net_remove
DELETE FROM nets WHERE coalesce(user_id, 0) = ?1 AND coalesce(group_id, 0) = ?2
AND address = ?3 AND bits = ?4;

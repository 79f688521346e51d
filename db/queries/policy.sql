-- name: policy_person
SELECT name, disabled, valid_from, valid_until, tunnels, idle, absolute FROM users WHERE id = ?1;

-- name: policy_person_set
UPDATE users SET valid_from = ?2, valid_until = ?3, tunnels = ?4, idle = ?5, absolute = ?6
WHERE id = ?1;

-- name: policy_desktop
SELECT name, tunnels, idle, absolute, step_up FROM desktops WHERE id = ?1;

-- name: policy_desktop_set
UPDATE desktops SET tunnels = ?2, idle = ?3, absolute = ?4, step_up = ?5 WHERE id = ?1;

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

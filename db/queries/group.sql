-- name: group_add
INSERT INTO groups (name) VALUES (?1);

-- name: group_by_name
SELECT id, name, (SELECT count(*) FROM members WHERE group_id = groups.id)
FROM groups WHERE name = ?1;

-- name: group_list
SELECT id, name, (SELECT count(*) FROM members WHERE group_id = groups.id)
FROM groups ORDER BY name;

-- name: group_remove
DELETE FROM groups WHERE id = ?1;

-- name: group_join
INSERT INTO members (group_id, user_id) VALUES (?1, ?2);

-- name: group_leave
DELETE FROM members WHERE group_id = ?1 AND user_id = ?2;

-- name: group_members
SELECT u.id, u.name, u.disabled, u.password, u.seed, u.totp_step, u.created_at, u.signed_in_at,
    u.role = 'administrator'
FROM users u JOIN members m ON m.user_id = u.id WHERE m.group_id = ?1 ORDER BY u.name;

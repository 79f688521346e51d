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
SELECT u.name, u.disabled
FROM users u JOIN members m ON m.user_id = u.id WHERE m.group_id = ?1 ORDER BY u.name;

-- name: group_names
SELECT group_concat(name, char(10)) FROM (SELECT g.name AS name
    FROM groups g JOIN members m ON m.group_id = g.id WHERE m.user_id = ?1 ORDER BY g.name);

-- name: desktop_group_names
SELECT group_concat(name, char(10)) FROM (SELECT g.name AS name
    FROM desktop_groups g JOIN desktop_members m ON m.group_id = g.id
    WHERE m.desktop_id = ?1 ORDER BY g.name);

-- name: desktop_group_add
INSERT INTO desktop_groups (name) VALUES (?1);

-- name: desktop_group_by_name
SELECT id, name, (SELECT count(*) FROM desktop_members WHERE group_id = desktop_groups.id)
FROM desktop_groups WHERE name = ?1;

-- name: desktop_group_list
SELECT id, name, (SELECT count(*) FROM desktop_members WHERE group_id = desktop_groups.id)
FROM desktop_groups ORDER BY name;

-- name: desktop_group_remove
DELETE FROM desktop_groups WHERE id = ?1;

-- name: desktop_group_join
INSERT INTO desktop_members (group_id, desktop_id) VALUES (?1, ?2);

-- name: desktop_group_leave
DELETE FROM desktop_members WHERE group_id = ?1 AND desktop_id = ?2;

-- name: desktop_group_members
SELECT d.name, 0
FROM desktops d JOIN desktop_members m ON m.desktop_id = d.id WHERE m.group_id = ?1 ORDER BY d.name;

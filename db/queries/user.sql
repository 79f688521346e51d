-- name: user_add
INSERT INTO users (name, disabled, password, seed, created_at, password_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?5);

-- name: user_by_name
SELECT id, name, disabled, password, seed, created_at, signed_in_at, role = 'administrator',
    must_change, password_at
FROM users WHERE name = ?1;

-- name: user_by_id
SELECT id, name, disabled, password, seed, created_at, signed_in_at, role = 'administrator',
    must_change, password_at
FROM users WHERE id = ?1;

-- name: user_list
SELECT id, name, disabled, password, seed, created_at, signed_in_at, role = 'administrator',
    must_change, password_at
FROM users ORDER BY name;

-- name: user_set_password
UPDATE users SET password = ?2, password_at = ?3, must_change = 0 WHERE id = ?1;

-- name: user_must_change
UPDATE users SET must_change = 1 WHERE id = ?1;

-- name: user_passwords
SELECT hash FROM (SELECT password AS hash, 1 AS now, 0 AS id FROM users WHERE id = ?1
UNION ALL SELECT hash, 0, id FROM passwords WHERE user_id = ?1)
ORDER BY now DESC, id DESC LIMIT ?2;

-- name: user_set_seed
UPDATE users SET seed = ?2, totp_step = 0 WHERE id = ?1;

-- name: user_set_disabled
UPDATE users SET disabled = ?2 WHERE id = ?1;

-- name: user_set_role
UPDATE users SET role = ?2 WHERE id = ?1;

-- name: user_remove
DELETE FROM users WHERE id = ?1;

-- name: user_use_step
UPDATE users SET totp_step = ?2, signed_in_at = ?3
WHERE id = ?1 AND totp_step < ?2 AND disabled = 0;

-- name: user_add
INSERT INTO users (name, disabled, password, seed, created_at) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: user_by_name
SELECT id, name, disabled, password, seed, totp_step, created_at, signed_in_at,
    role = 'administrator'
FROM users WHERE name = ?1;

-- name: user_by_id
SELECT id, name, disabled, password, seed, totp_step, created_at, signed_in_at,
    role = 'administrator'
FROM users WHERE id = ?1;

-- name: user_list
SELECT id, name, disabled, password, seed, totp_step, created_at, signed_in_at,
    role = 'administrator'
FROM users ORDER BY name;

-- name: user_set_password
UPDATE users SET password = ?2 WHERE id = ?1;

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

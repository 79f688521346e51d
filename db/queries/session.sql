-- name: session_add
INSERT INTO sessions (hash, user_id, created_at, used_at, factor_at, expires_at, address, agent)
VALUES (?1, ?2, ?3, ?3, ?7, ?4, ?5, ?6);

-- name: session_by_hash
SELECT s.id, s.hash, s.user_id, u.name, u.disabled, s.created_at, s.used_at, s.expires_at,
    s.ended_at, s.end_reason, s.address, s.agent, s.factor_at,
    u.must_change, u.password_at
FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.hash = ?1;

-- name: session_by_id
SELECT s.id, s.hash, s.user_id, u.name, u.disabled, s.created_at, s.used_at, s.expires_at,
    s.ended_at, s.end_reason, s.address, s.agent, s.factor_at,
    u.must_change, u.password_at
FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ?1;

-- name: session_list
SELECT s.id, s.hash, s.user_id, u.name, u.disabled, s.created_at, s.used_at, s.expires_at,
    s.ended_at, s.end_reason, s.address, s.agent, s.factor_at,
    u.must_change, u.password_at
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE ?1 = 0 OR s.ended_at = 0 ORDER BY s.id;

-- name: session_list_user
SELECT s.id, s.hash, s.user_id, u.name, u.disabled, s.created_at, s.used_at, s.expires_at,
    s.ended_at, s.end_reason, s.address, s.agent, s.factor_at,
    u.must_change, u.password_at
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.user_id = ?1 AND s.id > ?2 AND s.ended_at = 0 ORDER BY s.id LIMIT ?3;

-- name: session_use
UPDATE sessions SET used_at = ?2 WHERE id = ?1 AND ended_at = 0 AND used_at < ?2;

-- name: session_factor
UPDATE sessions SET factor_at = ?2 WHERE id = ?1 AND ended_at = 0 AND factor_at < ?2;

-- name: session_end
UPDATE sessions SET ended_at = ?2, end_reason = ?3 WHERE id = ?1 AND ended_at = 0;

-- name: session_end_user
UPDATE sessions SET ended_at = ?2, end_reason = ?3 WHERE user_id = ?1 AND ended_at = 0;

-- name: session_expire
UPDATE sessions SET ended_at = ?1, end_reason = 'expired' WHERE ended_at = 0 AND expires_at <= ?1;

-- name: session_idle
UPDATE sessions SET ended_at = ?1, end_reason = 'idle'
WHERE ended_at = 0 AND used_at < ?2
AND NOT EXISTS (SELECT 1 FROM tunnels t WHERE t.session_id = sessions.id AND t.ended_at = 0);

-- name: session_back
UPDATE sessions SET expires_at = expires_at - max(created_at - ?1, 0), created_at = min(created_at, ?1),
    used_at = min(used_at, ?1), factor_at = min(factor_at, ?1)
WHERE ended_at = 0 AND (created_at > ?1 OR used_at > ?1 OR factor_at > ?1);

-- name: session_forget
DELETE FROM sessions WHERE ended_at <> 0 AND ended_at < ?1;

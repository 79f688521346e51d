-- name: throttle_get
SELECT failures, since, last_at FROM throttle WHERE key = ?1;

-- name: throttle_set
INSERT INTO throttle (key, failures, since, last_at, bucket, user_id, address, bits)
VALUES (?1, ?2, ?3, ?4, ?5, nullif(?6, 0), ?7, ?8)
ON CONFLICT (key) DO UPDATE SET failures = ?2, since = ?3, last_at = ?4, user_id = nullif(?6, 0);

-- name: throttle_clear
DELETE FROM throttle WHERE key = ?1;

-- name: throttle_sweep
DELETE FROM throttle WHERE last_at < ?1;

-- name: throttle_back
UPDATE throttle SET since = min(since, ?1), last_at = ?1 WHERE last_at > ?1;

-- name: throttle_list
SELECT t.failures, t.since, t.last_at, t.bucket, coalesce(u.name, ''), t.address, t.bits
FROM throttle t LEFT JOIN users u ON u.id = t.user_id ORDER BY t.last_at DESC, t.key;

-- name: throttle_clear_user
DELETE FROM throttle WHERE user_id = ?1;

-- name: throttle_clear_all
DELETE FROM throttle;

-- name: throttle_clear_place
DELETE FROM throttle WHERE address = ?1 AND bits = ?2;

-- name: browser_add
INSERT INTO browsers (hash, user_id, created_at, used_at) VALUES (?1, ?2, ?3, ?3);

-- name: browser_known
SELECT 1 FROM browsers WHERE hash = ?1 AND user_id = ?2;

-- name: browser_use
UPDATE browsers SET used_at = ?2, failures = 0 WHERE hash = ?1;

-- name: browser_failed
UPDATE browsers SET failures = failures + 1 WHERE hash = ?1;

-- name: browser_give_up
DELETE FROM browsers WHERE hash = ?1 AND failures >= ?2;

-- name: browser_prune
DELETE FROM browsers WHERE user_id = ?1 AND hash NOT IN (
    SELECT hash FROM browsers WHERE user_id = ?1 ORDER BY used_at DESC, created_at DESC LIMIT ?2);

-- name: browser_sweep
DELETE FROM browsers WHERE used_at < ?1;

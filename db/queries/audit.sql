-- name: audit_add
INSERT INTO audit (at_ms, event, outcome, who, by, desktop, conn, address, detail)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- name: audit_list
SELECT id, at_ms, event, outcome, who, by, desktop, conn, address, detail FROM (
    SELECT * FROM audit
    WHERE id > ?1 AND at_ms >= ?2 AND (?3 IS NULL OR event = ?3)
    AND (?4 IS NULL OR who = ?4 COLLATE NOCASE)
    ORDER BY id DESC LIMIT ?5) ORDER BY id;

-- name: throttle_get
SELECT failures, since, last_at FROM throttle WHERE key = ?1;

-- name: throttle_set
INSERT INTO throttle (key, failures, since, last_at) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (key) DO UPDATE SET failures = ?2, since = ?3, last_at = ?4;

-- name: throttle_clear
DELETE FROM throttle WHERE key = ?1;

-- name: throttle_sweep
DELETE FROM throttle WHERE last_at < ?1;

-- name: audit_add
INSERT INTO audit (id, at_ms, event, outcome, who, by, desktop, conn, address, detail, chain)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11);

-- name: audit_newest
SELECT coalesce(max(id), 0) FROM audit;

-- name: audit_head
SELECT id, link, seal FROM audit_head;

-- name: audit_head_set
INSERT INTO audit_head (one, id, link, seal) VALUES (1, ?1, ?2, ?3)
ON CONFLICT (one) DO UPDATE SET id = ?1, link = ?2, seal = ?3;

-- name: audit_walk
SELECT id, at_ms, event, outcome, who, by, desktop, conn, address, detail, chain
FROM audit WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: audit_link
UPDATE audit SET chain = ?1 WHERE id = ?2;

-- name: audit_leftover
SELECT id FROM audit WHERE id <= ?1 ORDER BY id LIMIT 1;

-- name: audit_checkpoint
SELECT id, link, seal FROM audit_checkpoints WHERE kind = ?1 ORDER BY id DESC LIMIT 1;

-- name: audit_checkpoint_add
INSERT INTO audit_checkpoints (id, kind, at, link, seal) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: audit_link_of
SELECT id, chain FROM audit WHERE id = ?1;

-- name: audit_before
SELECT coalesce((SELECT min(id) - 1 FROM audit WHERE at_ms >= ?1), (SELECT max(id) FROM audit), 0);

-- name: audit_remove
DELETE FROM audit WHERE id <= ?1;

-- name: audit_forwarded
SELECT id FROM audit_forwarded;

-- name: audit_forwarded_set
INSERT INTO audit_forwarded (one, id) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET id = ?1;

-- name: audit_list
SELECT id, at_ms, event, outcome, who, by, desktop, conn, address, detail, chain FROM (
    SELECT * FROM audit
    WHERE id > ?1 AND at_ms >= ?2 AND at_ms < ?3 AND (?4 IS NULL OR event = ?4)
    AND (?5 IS NULL OR who = ?5 COLLATE NOCASE)
    ORDER BY id DESC LIMIT ?6) ORDER BY id;

-- name: audit_list_all
SELECT id, at_ms, event, outcome, who, by, desktop, conn, address, detail, chain FROM audit
WHERE id > ?1 AND at_ms >= ?2 AND at_ms < ?3 AND (?4 IS NULL OR event = ?4)
AND (?5 IS NULL OR who = ?5 COLLATE NOCASE)
ORDER BY id;

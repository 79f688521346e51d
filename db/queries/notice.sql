-- name: notice_add
INSERT INTO notices (tunnel_id, words, created_at)
SELECT id, ?2, ?3 FROM tunnels WHERE id = ?1 AND ended_at = 0;

-- name: notice_list
SELECT id, tunnel_id, words FROM notices WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: notice_sweep
DELETE FROM notices WHERE created_at < ?1;

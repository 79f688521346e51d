-- name: tunnel_add
INSERT INTO tunnels (session_id, user_id, desktop_id, user_name, desktop_name, host, port, way, conn,
    address, opened_at)
SELECT ?1, u.id, d.id, u.name, d.name, d.host, d.port, ?4, ?5, ?6, ?7
FROM users u, desktops d WHERE u.id = ?2 AND d.id = ?3;

-- name: tunnel_counts
UPDATE tunnels SET up = ?2, down = ?3 WHERE id = ?1 AND ended_at = 0;

-- name: tunnel_end
UPDATE tunnels SET ended_at = ?2, up = ?3, down = ?4, end_reason = ?5
WHERE id = ?1 AND ended_at = 0;

-- name: tunnel_request_end
UPDATE tunnels SET end_requested = 1 WHERE id = ?1 AND ended_at = 0;

-- name: tunnel_of
SELECT id, coalesce(user_id = ?1, 0), coalesce(desktop_id = ?2, 0) FROM tunnels
WHERE ended_at = 0 AND end_requested = 0 AND (user_id = ?1 OR desktop_id = ?2);

-- name: tunnel_exists
SELECT 1 FROM tunnels WHERE id = ?1;

-- name: tunnel_list
SELECT id, coalesce(session_id, 0), coalesce(user_id, 0), coalesce(desktop_id, 0), user_name,
    desktop_name, way, conn, address, opened_at, ended_at, up, down, end_reason
FROM tunnels WHERE ended_at = 0 ORDER BY id;

-- name: tunnel_list_all
SELECT id, coalesce(session_id, 0), coalesce(user_id, 0), coalesce(desktop_id, 0), user_name,
    desktop_name, way, conn, address, opened_at, ended_at, up, down, end_reason
FROM tunnels ORDER BY id;

-- name: tunnel_desktops
SELECT DISTINCT desktop_name FROM tunnels WHERE session_id = ?1 AND ended_at = 0
ORDER BY desktop_name;

-- name: tunnel_verdict
-- The numbers are enum store_tunnel_verdict.
SELECT CASE
    WHEN t.end_requested = 1 THEN 1
    WHEN u.id IS NULL OR u.disabled = 1 THEN 4
    WHEN s.ended_at <> 0 AND s.end_reason = 'signed-out' THEN 2
    WHEN s.id IS NULL OR s.ended_at <> 0 THEN 3
    WHEN d.id IS NULL OR d.host <> t.host OR d.port <> t.port THEN 5
    WHEN NOT EXISTS (SELECT 1 FROM reaches r WHERE r.user_id = u.id AND r.desktop_id = d.id) THEN 5
    ELSE 0 END
FROM tunnels t LEFT JOIN users u ON u.id = t.user_id LEFT JOIN sessions s ON s.id = t.session_id
LEFT JOIN desktops d ON d.id = t.desktop_id WHERE t.id = ?1;

-- name: tunnel_back
-- Of tickets that may come back: of others, nothing hangs on it.
UPDATE tunnels SET ended_at = ?1
WHERE ended_at > ?1 AND id IN (SELECT tunnel_id FROM tickets WHERE tunnel_id <> 0);

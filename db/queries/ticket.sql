-- name: ticket_add
INSERT INTO tickets (hash, session_id, desktop_id, way, created_at, expires_at, address, password)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: ticket_by_hash
SELECT t.id, t.hash, t.session_id, t.desktop_id, u.id, u.name, d.name, t.way, t.created_at,
    t.expires_at, t.used_at, t.tunnel_id, t.outcome, coalesce(n.end_reason, ''),
    coalesce(n.ended_at, 0), t.address, t.password, d.forbidden
FROM tickets t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
JOIN desktops d ON d.id = t.desktop_id LEFT JOIN tunnels n ON n.id = t.tunnel_id
WHERE t.hash = ?1;

-- name: ticket_by_id
SELECT t.id, t.hash, t.session_id, t.desktop_id, u.id, u.name, d.name, t.way, t.created_at,
    t.expires_at, t.used_at, t.tunnel_id, t.outcome, coalesce(n.end_reason, ''),
    coalesce(n.ended_at, 0), t.address, t.password, d.forbidden
FROM tickets t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
JOIN desktops d ON d.id = t.desktop_id LEFT JOIN tunnels n ON n.id = t.tunnel_id
WHERE t.id = ?1;

-- name: ticket_use
UPDATE tickets SET used_at = ?2 WHERE id = ?1 AND used_at = 0 AND expires_at > ?2
AND EXISTS (SELECT 1 FROM sessions s WHERE s.id = tickets.session_id AND s.ended_at = 0);

-- name: ticket_end
UPDATE tickets SET tunnel_id = ?2, outcome = ?3 WHERE id = ?1;

-- name: ticket_waiting
SELECT count(*) FROM tickets WHERE session_id = ?1 AND used_at = 0 AND expires_at > ?2;

-- name: ticket_sweep
DELETE FROM tickets WHERE created_at < ?1
AND NOT EXISTS (SELECT 1 FROM tunnels n WHERE n.id = tickets.tunnel_id
                AND (n.ended_at = 0 OR n.ended_at >= ?1));

-- name: ticket_back
UPDATE tickets SET expires_at = expires_at - max(created_at - ?1, 0), created_at = min(created_at, ?1),
    used_at = min(used_at, ?1)
WHERE created_at > ?1 OR used_at > ?1;

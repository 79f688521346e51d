-- name: password_list
-- ?1 and ?2 are what the person may be called, ?3 is now, what ended before ?4 is over for good.
SELECT u.name, t.password FROM users u
JOIN sessions s ON s.user_id = u.id AND s.ended_at = 0
JOIN tickets t ON t.session_id = s.id AND t.password IS NOT NULL
LEFT JOIN tunnels n ON n.id = t.tunnel_id
WHERE u.name IN (?1, ?2) AND u.disabled = 0
AND (t.expires_at > ?3 OR t.used_at > ?4 OR n.ended_at = 0 OR n.ended_at > ?4)
ORDER BY t.id DESC LIMIT ?5;

-- name: password_back
UPDATE users SET password_at = ?1 WHERE password_at > ?1;

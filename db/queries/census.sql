-- name: census
SELECT (SELECT count(*) FROM sessions WHERE ended_at = 0 AND expires_at > ?1 AND used_at > ?2),
    (SELECT count(*) FROM users), (SELECT count(*) FROM users WHERE disabled = 1),
    (SELECT count(*) FROM desktops);

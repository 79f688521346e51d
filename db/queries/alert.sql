-- name: alert_add
INSERT INTO alerts (at, rule, subject, message, who, address, desktop, test)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: alert_list
SELECT id, at, rule, subject, message, who, address, desktop, test, sent FROM (
    SELECT * FROM alerts ORDER BY id DESC LIMIT ?1) ORDER BY id;

-- name: alert_unsent
SELECT id, at, rule, subject, message, who, address, desktop, test, sent FROM alerts
WHERE sent = 0 ORDER BY id LIMIT ?1;

-- name: alert_sent
UPDATE alerts SET sent = 1 WHERE id = ?1;

-- name: alert_last
SELECT max(at), count(*), 0 FROM alerts WHERE rule = ?1 AND subject = ?2 AND test = 0;

-- name: alert_since
SELECT max(at), count(*), coalesce(sum(rule IN ('user_failures', 'address_failures')), 0)
FROM alerts WHERE at > ?1 AND test = 0;

-- name: alert_sweep
DELETE FROM alerts WHERE at < ?1;

-- name: alert_place
SELECT audit_id FROM alert_place;

-- name: alert_place_set
INSERT INTO alert_place (one, audit_id) VALUES (1, ?1)
ON CONFLICT (one) DO UPDATE SET audit_id = ?1;

-- name: alert_newest
SELECT coalesce(max(id), 0) FROM audit;

-- name: alert_failures_who
SELECT count(*) FROM audit WHERE who = ?1 COLLATE NOCASE AND at_ms > ?2 AND id <= ?3
AND outcome IN ('denied', 'throttled')
AND event IN ('sign-in', 'gateway-password', 're-authentication', 'second-factor');

-- name: alert_failures_address
SELECT count(*) FROM audit WHERE address BETWEEN ?1 AND ?2 AND at_ms > ?3 AND id <= ?4
AND outcome IN ('denied', 'throttled')
AND event IN ('sign-in', 'gateway-password', 're-authentication', 'second-factor', 'invitation');

-- name: network_look
SELECT count(*), coalesce(sum(network = ?2), 0), coalesce(max(seen_at * (network = ?2)), 0)
FROM networks WHERE user_id = (SELECT id FROM users WHERE name = ?1);

-- name: network_see
INSERT INTO networks (user_id, network, seen_at) SELECT id, ?2, ?3 FROM users WHERE name = ?1
ON CONFLICT (user_id, network) DO UPDATE SET seen_at = ?3;

-- name: network_trim
DELETE FROM networks WHERE user_id = (SELECT id FROM users WHERE name = ?1)
AND network NOT IN (SELECT network FROM networks
    WHERE user_id = (SELECT id FROM users WHERE name = ?1) ORDER BY seen_at DESC LIMIT ?2);

-- name: alert_back
UPDATE alerts SET at = ?1 WHERE at > ?1;

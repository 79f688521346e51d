-- name: settle_sessions
UPDATE sessions SET ended_at = ?1, end_reason = 'restored' WHERE ended_at = 0;

-- name: settle_tunnels
UPDATE tunnels SET ended_at = ?1, end_reason = 'gate-lost' WHERE ended_at = 0;

-- name: settle_invitations
DELETE FROM invitations;

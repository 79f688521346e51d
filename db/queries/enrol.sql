-- name: invitation_set
INSERT INTO invitations (user_id, hash, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (user_id) DO UPDATE SET hash = ?2, created_at = ?3, expires_at = ?4;

-- name: invitation_user
SELECT i.user_id FROM invitations i JOIN users u ON u.id = i.user_id
WHERE i.hash = ?1 AND i.expires_at > ?2 AND u.disabled = 0;

-- name: invitation_until
SELECT expires_at FROM invitations WHERE user_id = ?1 AND expires_at > ?2;

-- name: invitation_forget
DELETE FROM invitations WHERE user_id = ?1;

-- name: offer_set
INSERT INTO offers (user_id, seed, expires_at) VALUES (?1, ?2, ?3)
ON CONFLICT (user_id) DO UPDATE SET seed = ?2, expires_at = ?3;

-- name: offer_get
SELECT seed FROM offers WHERE user_id = ?1 AND expires_at > ?2;

-- name: offer_forget
DELETE FROM offers WHERE user_id = ?1;

-- name: recovery_clear
DELETE FROM recovery_codes WHERE user_id = ?1;

-- name: recovery_add
INSERT INTO recovery_codes (user_id, hash) VALUES (?1, ?2);

-- name: recovery_use
UPDATE recovery_codes SET used_at = ?3 WHERE user_id = ?1 AND hash = ?2 AND used_at = 0
AND EXISTS (SELECT 1 FROM users WHERE id = ?1 AND disabled = 0);

-- name: recovery_known
SELECT 1 FROM recovery_codes WHERE user_id = ?1 AND hash = ?2 AND used_at = 0;

-- name: recovery_left
SELECT count(*) FROM recovery_codes WHERE user_id = ?1 AND used_at = 0;

-- name: user_signed_in
UPDATE users SET signed_in_at = ?2 WHERE id = ?1;

-- name: invitation_back
UPDATE invitations SET expires_at = expires_at - (created_at - ?1), created_at = ?1
WHERE created_at > ?1;

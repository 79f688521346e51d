-- What the keeper asks all the time: live sessions and tunnels, grants of a desktop.
CREATE INDEX sessions_live ON sessions (user_id) WHERE ended_at = 0;
CREATE INDEX tunnels_live ON tunnels (id) WHERE ended_at = 0;
CREATE INDEX tunnels_session ON tunnels (session_id);
CREATE INDEX members_user ON members (user_id);
CREATE INDEX grants_desktop ON grants (desktop_id);
CREATE INDEX audit_time ON audit (at_ms);

CREATE INDEX sessions_live ON sessions (user_id, created_at) WHERE revoked_at IS NULL;
DROP INDEX challenges_by_address;
CREATE INDEX challenges_live ON challenges (address_hash) WHERE outcome IS NULL;

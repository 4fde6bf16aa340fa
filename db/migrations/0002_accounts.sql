CREATE TABLE former_addresses (
  id TEXT PRIMARY KEY NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (id),
  address_hash TEXT NOT NULL,
  address_sealed TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ended_at INTEGER
);
CREATE INDEX former_addresses_by_address ON former_addresses (address_hash, expires_at);
CREATE INDEX former_addresses_by_user ON former_addresses (user_id);
CREATE TABLE invitations (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (workspace_id),
  id TEXT NOT NULL,
  address_hash TEXT NOT NULL,
  address_sealed TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('viewer', 'member', 'admin')),
  projects TEXT NOT NULL,
  locale TEXT NOT NULL,
  invited_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  accepted_at INTEGER,
  revoked_at INTEGER,
  PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX invitations_by_id ON invitations (id);
CREATE INDEX invitations_by_address ON invitations (address_hash);
CREATE INDEX invitations_by_age ON invitations (workspace_id, created_at, id);
CREATE INDEX invitations_by_inviter ON invitations (invited_by, created_at);

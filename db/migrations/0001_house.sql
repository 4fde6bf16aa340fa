CREATE TABLE meta (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL);
INSERT INTO meta (name, value) VALUES ('instance_id', lower(hex(randomblob(16)))), ('generation', '1');
CREATE TABLE program_keys (kid TEXT PRIMARY KEY NOT NULL, purpose TEXT NOT NULL, wrapped TEXT NOT NULL, created_at INTEGER NOT NULL);
CREATE TABLE guards (failed INTEGER NOT NULL, CONSTRAINT guard_failed CHECK (failed = 1 AND failed = 0));
CREATE TABLE leases (name TEXT PRIMARY KEY NOT NULL, holder TEXT NOT NULL, until INTEGER NOT NULL);
CREATE TABLE revocations (seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, subject TEXT NOT NULL, created_at INTEGER NOT NULL);

CREATE TABLE users (
  id TEXT PRIMARY KEY NOT NULL,
  address_hash TEXT NOT NULL UNIQUE,
  address_sealed TEXT NOT NULL,
  name TEXT,
  locale TEXT NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE TABLE sessions (
  id TEXT PRIMARY KEY NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (id),
  secret_hash TEXT NOT NULL,
  kid TEXT NOT NULL,
  label TEXT NOT NULL,
  method TEXT NOT NULL,
  place TEXT,
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  auth_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER
);
CREATE INDEX sessions_by_user ON sessions (user_id, created_at);
CREATE TABLE challenges (
  id TEXT PRIMARY KEY NOT NULL,
  purpose TEXT NOT NULL,
  session_id TEXT,
  address_hash TEXT NOT NULL,
  mailbox_hash TEXT NOT NULL,
  address_sealed TEXT NOT NULL,
  binding_hash TEXT NOT NULL,
  kid TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  sends INTEGER NOT NULL DEFAULT 1,
  transport TEXT NOT NULL,
  redirect TEXT,
  locale TEXT NOT NULL,
  asked_label TEXT NOT NULL,
  asked_from TEXT,
  created_at INTEGER NOT NULL,
  sent_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  consumed_at INTEGER,
  outcome TEXT
);
CREATE INDEX challenges_by_address ON challenges (address_hash, created_at);
CREATE INDEX challenges_by_expiry ON challenges (expires_at);
CREATE TABLE outbox (
  id TEXT PRIMARY KEY NOT NULL,
  template TEXT NOT NULL,
  about TEXT NOT NULL,
  locale TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  sent_at INTEGER,
  failed_at INTEGER
);
CREATE INDEX outbox_by_due ON outbox (sent_at, failed_at, due_at);

CREATE TABLE workspaces (
  workspace_id INTEGER PRIMARY KEY NOT NULL,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  max_auth_age_ms INTEGER,
  deletes_at INTEGER
);
CREATE TABLE projects (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (workspace_id),
  id TEXT NOT NULL,
  slug TEXT NOT NULL,
  name TEXT NOT NULL,
  restricted INTEGER NOT NULL DEFAULT 0,
  is_default INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  deleted_at INTEGER,
  PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX projects_by_slug ON projects (workspace_id, slug);
CREATE UNIQUE INDEX projects_one_default ON projects (workspace_id) WHERE is_default = 1;
CREATE INDEX projects_by_age ON projects (workspace_id, created_at);
CREATE TABLE members (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (workspace_id),
  user_id TEXT NOT NULL REFERENCES users (id),
  role TEXT NOT NULL CHECK (role IN ('viewer', 'member', 'admin')),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id);
CREATE TABLE api_keys (
  workspace_id INTEGER NOT NULL REFERENCES workspaces (workspace_id),
  id TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  kid TEXT NOT NULL,
  hint TEXT NOT NULL,
  name TEXT NOT NULL,
  level TEXT NOT NULL CHECK (level IN ('read', 'write', 'delete', 'admin')),
  environment TEXT NOT NULL CHECK (environment IN ('live', 'test', 'dev')),
  projects TEXT,
  ip_allow TEXT,
  lineage TEXT NOT NULL,
  rotated_at INTEGER,
  warned_at INTEGER,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER,
  expires_at INTEGER,
  suspended_at INTEGER,
  revoked_at INTEGER,
  PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX api_keys_by_token ON api_keys (token_hash);
CREATE INDEX api_keys_by_age ON api_keys (workspace_id, created_at);
CREATE INDEX api_keys_by_use ON api_keys (coalesce(last_used_at, created_at)) WHERE revoked_at IS NULL;
CREATE TABLE media (
  workspace_id INTEGER NOT NULL,
  id TEXT NOT NULL,
  project_id TEXT NOT NULL,
  name TEXT NOT NULL,
  size INTEGER NOT NULL,
  declared_type TEXT NOT NULL,
  type TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  blob TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,
  key TEXT,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  changed_by TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  deleted_at INTEGER,
  PRIMARY KEY (workspace_id, id),
  FOREIGN KEY (workspace_id, project_id) REFERENCES projects (workspace_id, id)
);
CREATE UNIQUE INDEX media_by_id ON media (id);
CREATE UNIQUE INDEX media_by_blob ON media (blob);
CREATE INDEX media_by_age ON media (workspace_id, project_id, created_at, id);
CREATE INDEX media_deleted ON media (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE TABLE audit_events (
  workspace_id INTEGER NOT NULL,
  id TEXT NOT NULL,
  chain TEXT NOT NULL,
  action TEXT NOT NULL,
  actor_type TEXT NOT NULL,
  actor_id TEXT,
  targets TEXT NOT NULL,
  outcome TEXT NOT NULL,
  request_id TEXT,
  client TEXT,
  change TEXT,
  at INTEGER NOT NULL,
  position INTEGER,
  hash TEXT,
  PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX audit_events_by_position ON audit_events (chain, position);
CREATE INDEX audit_events_unsealed ON audit_events (at) WHERE position IS NULL;
CREATE INDEX audit_events_by_time ON audit_events (workspace_id, at);
CREATE TABLE audit_heads (
  chain TEXT PRIMARY KEY NOT NULL,
  position INTEGER NOT NULL,
  hash TEXT NOT NULL,
  at INTEGER NOT NULL,
  kid TEXT NOT NULL,
  signature TEXT NOT NULL
);

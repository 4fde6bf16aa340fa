CREATE TABLE nodes (id TEXT PRIMARY KEY NOT NULL, beat INTEGER NOT NULL, applied INTEGER NOT NULL, at INTEGER NOT NULL);
CREATE TABLE idempotency_keys (
  workspace_id INTEGER NOT NULL,
  actor_id TEXT NOT NULL,
  route TEXT NOT NULL,
  key TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  made_id TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, actor_id, route, key)
);

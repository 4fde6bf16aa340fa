CREATE TABLE budget_uses (id INTEGER PRIMARY KEY NOT NULL, subject TEXT NOT NULL, at INTEGER NOT NULL);
CREATE INDEX budget_uses_by_subject ON budget_uses (subject, at);
CREATE TABLE devices (
  id TEXT PRIMARY KEY NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  secret_hash TEXT NOT NULL,
  label TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX devices_by_secret ON devices (secret_hash, user_id);
CREATE INDEX devices_by_user ON devices (user_id, created_at);
CREATE TABLE human_proofs (id TEXT PRIMARY KEY NOT NULL, expires_at INTEGER NOT NULL);
ALTER TABLE sessions ADD COLUMN device_id TEXT;
ALTER TABLE challenges ADD COLUMN device_id TEXT;

CREATE TABLE uploads (
  workspace_id INTEGER NOT NULL,
  id TEXT NOT NULL,
  project_id TEXT NOT NULL,
  name TEXT NOT NULL,
  declared_type TEXT NOT NULL,
  metadata TEXT,
  length INTEGER NOT NULL CHECK (length >= 0),
  offset INTEGER NOT NULL CHECK (offset BETWEEN 0 AND length),
  blob TEXT,
  saved TEXT,
  lease TEXT,
  lease_until INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  replaces TEXT,
  media_id TEXT,
  PRIMARY KEY (workspace_id, id),
  FOREIGN KEY (workspace_id, project_id) REFERENCES projects (workspace_id, id)
);
CREATE INDEX uploads_expired ON uploads (expires_at);

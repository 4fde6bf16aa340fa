CREATE TABLE media_versions (
  workspace_id INTEGER NOT NULL,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  project_id TEXT NOT NULL,
  size INTEGER NOT NULL,
  declared_type TEXT NOT NULL,
  type TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  blob TEXT NOT NULL,
  key TEXT,
  changed_by TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, id, version),
  FOREIGN KEY (workspace_id, id) REFERENCES media (workspace_id, id)
);
CREATE UNIQUE INDEX media_versions_by_blob ON media_versions (blob);

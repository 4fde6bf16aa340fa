CREATE TABLE links (
  workspace_id INTEGER NOT NULL,
  id TEXT NOT NULL,
  project_id TEXT NOT NULL,
  media_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  ticket_hash TEXT NOT NULL,
  kid TEXT NOT NULL,
  created_by TEXT NOT NULL,
  session_id TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, id),
  FOREIGN KEY (workspace_id, media_id) REFERENCES media (workspace_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX links_by_id ON links (id);
CREATE INDEX links_by_media ON links (workspace_id, media_id);
CREATE INDEX links_by_expiry ON links (expires_at);

CREATE TABLE workspace_keys (
  workspace_id INTEGER NOT NULL,
  purpose TEXT NOT NULL,
  kid TEXT NOT NULL,
  wrapped TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, purpose)
);

CREATE TABLE project_members (
  workspace_id INTEGER NOT NULL,
  project_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('viewer', 'member', 'admin')),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, project_id, user_id),
  FOREIGN KEY (workspace_id, project_id) REFERENCES projects (workspace_id, id) ON DELETE CASCADE,
  FOREIGN KEY (workspace_id, user_id) REFERENCES members (workspace_id, user_id) ON DELETE CASCADE
);
CREATE INDEX project_members_by_user ON project_members (workspace_id, user_id);
CREATE TABLE audit_checkpoints (
  chain TEXT PRIMARY KEY NOT NULL,
  position INTEGER NOT NULL,
  hash TEXT NOT NULL,
  at INTEGER NOT NULL,
  kid TEXT NOT NULL,
  signature TEXT NOT NULL
);

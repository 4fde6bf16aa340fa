CREATE TABLE workspace_plans (
  workspace_id INTEGER PRIMARY KEY NOT NULL,
  plan TEXT NOT NULL,
  credits INTEGER NOT NULL CHECK (credits >= 0)
);
CREATE TABLE quotas (
  workspace_id INTEGER NOT NULL,
  resource TEXT NOT NULL CHECK (resource IN ('storage_bytes', 'requests', 'credits')),
  period TEXT NOT NULL,
  used INTEGER NOT NULL CHECK (used >= 0),
  PRIMARY KEY (workspace_id, resource, period)
);
CREATE TABLE usage (
  workspace_id INTEGER NOT NULL,
  day INTEGER NOT NULL,
  id TEXT NOT NULL,
  project_id TEXT,
  key_id TEXT,
  requests INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, day, id)
);
CREATE INDEX usage_by_day ON usage (day);

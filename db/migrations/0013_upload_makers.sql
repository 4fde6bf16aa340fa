CREATE INDEX uploads_by_maker ON uploads (workspace_id, created_by) WHERE media_id IS NULL;

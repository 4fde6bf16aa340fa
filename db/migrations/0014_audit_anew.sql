UPDATE audit_events SET position = NULL, hash = NULL;
DELETE FROM audit_heads;
DELETE FROM audit_checkpoints;

CREATE TABLE changes (
	subject_id INTEGER NOT NULL PRIMARY KEY,
	revision INTEGER NOT NULL
);

CREATE INDEX ix_changes_revision ON changes (revision);

INSERT INTO settings (name, value)
	SELECT 'references_revision', value FROM settings WHERE name = 'revision';

INSERT INTO settings (name, value)
	SELECT 'followed_since', value FROM settings WHERE name = 'revision';

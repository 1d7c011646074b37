CREATE TABLE IF NOT EXISTS migration (
	reference_id INTEGER NOT NULL, 
	model_id VARCHAR NOT NULL, 
	embedding BLOB NOT NULL, 
	box BLOB NOT NULL, 
	landmarks BLOB NOT NULL, 
	PRIMARY KEY (reference_id), 
	FOREIGN KEY(reference_id) REFERENCES "references" (id) ON DELETE CASCADE
);

CREATE TABLE former_names (
	name VARCHAR NOT NULL PRIMARY KEY,
	subject_id INTEGER NOT NULL REFERENCES subjects (id) ON DELETE CASCADE
);

CREATE INDEX ix_former_names_subject_id ON former_names (subject_id);

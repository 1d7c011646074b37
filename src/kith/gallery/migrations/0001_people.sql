CREATE TABLE settings (
	name VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY (name)
);

CREATE TABLE subjects (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name VARCHAR NOT NULL, 
	created DATETIME NOT NULL, 
	UNIQUE (name)
);

CREATE TABLE classifiers (
	kind VARCHAR NOT NULL, 
	revision INTEGER NOT NULL, 
	arrays BLOB NOT NULL, 
	PRIMARY KEY (kind)
);

CREATE TABLE "references" (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	subject_id INTEGER NOT NULL, 
	embedding BLOB NOT NULL, 
	source VARCHAR NOT NULL, 
	source_hash VARCHAR NOT NULL, 
	box BLOB NOT NULL, 
	landmarks BLOB NOT NULL, 
	detection_score FLOAT NOT NULL, 
	created DATETIME NOT NULL, 
	FOREIGN KEY(subject_id) REFERENCES subjects (id) ON DELETE CASCADE, 
	UNIQUE (source_hash)
);

CREATE INDEX ix_references_subject_id ON "references" (subject_id);

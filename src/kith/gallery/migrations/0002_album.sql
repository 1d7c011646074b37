CREATE TABLE references_rebuilt (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	subject_id INTEGER NOT NULL, 
	embedding BLOB NOT NULL, 
	source VARCHAR NOT NULL, 
	source_hash VARCHAR NOT NULL, 
	box BLOB NOT NULL, 
	landmarks BLOB NOT NULL, 
	detection_score FLOAT NOT NULL, 
	created DATETIME NOT NULL, 
	FOREIGN KEY(subject_id) REFERENCES subjects (id) ON DELETE CASCADE
);

INSERT INTO references_rebuilt (id, subject_id, embedding, source, source_hash, box, landmarks, detection_score, created)
	SELECT id, subject_id, embedding, source, source_hash, box, landmarks, detection_score, created
	FROM "references";

DELETE FROM sqlite_sequence WHERE name = 'references_rebuilt';

INSERT INTO sqlite_sequence SELECT 'references_rebuilt', seq FROM sqlite_sequence WHERE name = 'references';

DROP TABLE "references";

ALTER TABLE references_rebuilt RENAME TO "references";

CREATE INDEX ix_references_subject_id ON "references" (subject_id);

CREATE INDEX ix_references_source_hash ON "references" (source_hash);

CREATE TABLE photos (
	id INTEGER NOT NULL, 
	source VARCHAR NOT NULL, 
	bytes INTEGER NOT NULL, 
	modified INTEGER NOT NULL, 
	source_hash VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (source_hash)
);

CREATE INDEX ix_photos_source ON photos (source);

CREATE TABLE clusters (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	subject_id INTEGER, 
	FOREIGN KEY(subject_id) REFERENCES subjects (id) ON DELETE CASCADE
);

CREATE INDEX ix_clusters_subject_id ON clusters (subject_id);

CREATE TABLE faces (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	photo_id INTEGER NOT NULL, 
	cluster_id INTEGER, 
	embedding BLOB NOT NULL, 
	crowd FLOAT, 
	box BLOB NOT NULL, 
	landmarks BLOB NOT NULL, 
	detection_score FLOAT NOT NULL, 
	unfit VARCHAR NOT NULL, 
	picture BLOB NOT NULL, 
	FOREIGN KEY(photo_id) REFERENCES photos (id) ON DELETE CASCADE, 
	FOREIGN KEY(cluster_id) REFERENCES clusters (id) ON DELETE CASCADE
);

CREATE INDEX ix_faces_photo_id ON faces (photo_id);

CREATE INDEX ix_faces_cluster_id ON faces (cluster_id);

CREATE TABLE links (
	first_id INTEGER NOT NULL, 
	second_id INTEGER NOT NULL, 
	together BOOLEAN NOT NULL, 
	PRIMARY KEY (first_id, second_id), 
	FOREIGN KEY(first_id) REFERENCES faces (id) ON DELETE CASCADE, 
	FOREIGN KEY(second_id) REFERENCES faces (id) ON DELETE CASCADE
);

CREATE INDEX ix_links_second_id ON links (second_id);

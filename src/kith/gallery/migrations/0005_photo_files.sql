ALTER TABLE "references" ADD COLUMN file_hash VARCHAR NOT NULL DEFAULT '';

CREATE INDEX ix_references_file_hash ON "references" (file_hash);

ALTER TABLE photos ADD COLUMN file_hash VARCHAR NOT NULL DEFAULT '';

CREATE INDEX ix_photos_file_hash ON photos (file_hash);

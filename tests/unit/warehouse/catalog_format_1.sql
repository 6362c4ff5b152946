-- The tables of a catalogue of format 1, as they were before checks and profiles were kept.
CREATE TABLE ledger (
  seq INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE INDEX ledger_kind ON ledger (kind);
CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_no_replace BEFORE INSERT ON ledger WHEN EXISTS (SELECT 1 FROM ledger WHERE seq = NEW.seq)
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TABLE source_files (
  number INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, name TEXT NOT NULL, size_bytes INTEGER NOT NULL, format TEXT NOT NULL
) STRICT;
CREATE TABLE versions (
  version INTEGER PRIMARY KEY, kind TEXT NOT NULL, published_at TEXT NOT NULL, load INTEGER, digest TEXT NOT NULL,
  entry INTEGER NOT NULL UNIQUE REFERENCES ledger (seq), entry_hash TEXT NOT NULL, kept INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX versions_kept ON versions (version) WHERE kept;
CREATE TABLE table_versions (
  version INTEGER NOT NULL REFERENCES versions (version), name TEXT NOT NULL, position INTEGER NOT NULL,
  delta_version INTEGER NOT NULL, rows INTEGER NOT NULL, layout TEXT NOT NULL, PRIMARY KEY (version, name)
) STRICT;
CREATE TABLE files (
  id INTEGER PRIMARY KEY, table_name TEXT NOT NULL, path TEXT NOT NULL UNIQUE, sha256 TEXT NOT NULL, size_bytes INTEGER NOT NULL,
  rows INTEGER NOT NULL, loads TEXT NOT NULL
) STRICT;
CREATE TABLE spans (
  file INTEGER NOT NULL REFERENCES files (id), added INTEGER NOT NULL REFERENCES versions (version),
  removed INTEGER REFERENCES versions (version), PRIMARY KEY (file, added)
) STRICT;
CREATE INDEX spans_removed ON spans (removed);
CREATE TABLE rewrites (
  file INTEGER NOT NULL REFERENCES files (id), entry INTEGER NOT NULL REFERENCES ledger (seq), path TEXT, sha256 TEXT,
  size_bytes INTEGER, rows INTEGER, loads TEXT, PRIMARY KEY (file, entry)
) STRICT;
CREATE INDEX rewrites_path ON rewrites (path);
CREATE TABLE loads (
  load INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, begun_at TEXT NOT NULL, body TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('begun', 'in force', 'undone', 'abandoned')),
  version INTEGER REFERENCES versions (version), undone_in INTEGER REFERENCES versions (version)
) STRICT;
CREATE TABLE load_files (
  load INTEGER NOT NULL REFERENCES loads (load), position INTEGER NOT NULL, sha256 TEXT NOT NULL, mapping_sha256 TEXT NOT NULL,
  table_name TEXT NOT NULL, counts TEXT NOT NULL, PRIMARY KEY (load, position)
) STRICT;
CREATE INDEX load_files_source ON load_files (sha256, mapping_sha256);
CREATE TABLE publications (
  entry INTEGER PRIMARY KEY REFERENCES ledger (seq), version INTEGER NOT NULL REFERENCES versions (version),
  sha256 TEXT NOT NULL, document TEXT, erased_by INTEGER REFERENCES ledger (seq)
) STRICT;
CREATE INDEX publications_sha256 ON publications (sha256);
PRAGMA application_id = 1433301872;
PRAGMA user_version = 1;

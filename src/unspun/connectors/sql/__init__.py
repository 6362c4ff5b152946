"""SQL databases as sources: Postgres and SQLite, read into files that a load takes."""

"""All SQL stands here: SQLite for one process, PostgreSQL for more, one set of statements for both."""

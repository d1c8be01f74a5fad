"""Where records come from and where state lives: files, SQLite, Elasticsearch."""

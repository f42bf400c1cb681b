"""The edge to SQL: one module a store, each a SQLite file in the state directory. Nothing else imports sqlite3."""

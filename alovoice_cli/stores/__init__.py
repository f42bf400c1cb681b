"""The edge to SQL: one module a store, in SQLite files or on a PostgreSQL server. Only here sqlite3 and psycopg."""

"""The database: tables, the unit of work, migrations. SQLite and PostgreSQL through SQLAlchemy Core."""

"""Database, column types, encryption, and the models and repositories of each area."""

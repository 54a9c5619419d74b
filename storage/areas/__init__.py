"""What the areas store: models and queries, one module an area."""

"""What people decide and do: Django models, their migrations and queries. No views, no rules of the application."""

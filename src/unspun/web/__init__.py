"""The web: the Django project that assembles pages and API, and the server that runs it."""

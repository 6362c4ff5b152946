"""The JSON API: the same operations as the pages, for programs. Thin: it reads a request, asks `app`, and tells what came of it."""

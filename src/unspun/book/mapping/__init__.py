"""A company's own files and columns, mapped to the tables of the book: `book.yml`, and proposals for files it does not know."""

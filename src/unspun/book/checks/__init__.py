"""The quality gate: what is looked for in a book, and what was found. Pure: questions in SQL, and judgements of their rows."""

"""Files that people bring to the console: kept until they are loaded, tried out, loaded, taken back."""

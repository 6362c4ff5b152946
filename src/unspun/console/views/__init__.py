"""The views, a module for each page or group of pages."""

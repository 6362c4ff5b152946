"""The WSGI application that the server runs, with all that answers requests read before the first of them comes."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "unspun.web.settings")
application = get_wsgi_application()
_ = get_resolver().url_patterns  # imports every view

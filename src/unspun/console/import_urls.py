"""The routes of imports, of taking a load back, and of audits."""

from __future__ import annotations

from django.urls import path

from unspun.console.views.audits import audit, audit_delete, audit_file, audits
from unspun.console.views.imports import (
    import_discard,
    import_files,
    import_known,
    import_load,
    import_mapping,
    import_page,
    import_rejects,
    import_remove,
    import_try,
    imports,
    undo_load,
)

ROUTES = [
    path("data/import", imports, name="imports"),
    path("data/import/<str:wanted>", import_page, name="import"),
    path("data/import/<str:wanted>/files", import_files, name="import_files"),
    path("data/import/<str:wanted>/remove", import_remove, name="import_remove"),
    path("data/import/<str:wanted>/mapping", import_mapping, name="import_mapping"),
    path("data/import/<str:wanted>/known", import_known, name="import_known"),
    path("data/import/<str:wanted>/try", import_try, name="import_try"),
    path("data/import/<str:wanted>/load", import_load, name="import_load"),
    path("data/import/<str:wanted>/discard", import_discard, name="import_discard"),
    path("data/import/<str:wanted>/rejected.zip", import_rejects, name="import_rejects"),
    path("data/loads/<int:load>/undo", undo_load, name="undo_load"),
    path("audit", audits, name="audits"),
    path("audit/<int:number>", audit, name="audit"),
    path("audit/<int:number>/delete", audit_delete, name="audit_delete"),
    path("audit/<int:number>/<str:name>", audit_file, name="audit_file"),
]

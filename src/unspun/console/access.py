"""The marks that say who may reach a page; the same as those of the JSON API."""

from unspun.app.route_rules import allow, public, signed_in

__all__ = ["allow", "public", "signed_in"]

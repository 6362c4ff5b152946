"""The routes of the API by what they are of. Each view has its mark (`unspun.app.route_rules`), outermost but for its route."""

"""The pages: thin views over the operations of `unspun.app`, their templates and static files."""

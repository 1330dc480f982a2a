"""`compound-gateway setup`: from nothing to a gateway.toml, asked on a terminal by somebody who stands on a ladder."""

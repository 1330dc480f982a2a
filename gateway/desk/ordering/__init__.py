"""Orders to gateways, signed by the desk: what is decided about them, who sends them, which doors they are for."""

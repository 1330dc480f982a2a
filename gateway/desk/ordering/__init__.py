"""Orders to gateways, signed by the desk: who sends them, whose outcomes count, how the doors stand."""

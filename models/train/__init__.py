"""How the falling-object model is made: render, train, export, evaluate. Not shipped with the daemon."""

"""`python -m gateway`: the same as the console script `compound-gateway`.

Loading it all takes a moment, on a small computer a second: until then Ctrl-C ends it as it ends any other program.
"""

import signal


def main() -> None:
    """Load the command line and run it."""
    # Who started it in the background has it ignored.
    pythons = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if pythons:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from gateway import cli

    if pythons:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    cli.main()


if __name__ == "__main__":
    main()

"""click in two languages: help, usage errors and exit codes, with every text taken from words.toml by key.

A command's help stands under `<command>.help`, its example under `<command>.example`, an option's under the key
given as its `help`. Whatever goes wrong, a person reads one line of it; a trace only with --debug.
"""

import copy
import errno
import io
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

from gateway.terminal.errors import ToolError
from gateway.terminal.words import LANGUAGES, Words, from_locale

PROGRAM = "compound-gateway"

DONE, NO, USAGE, BUG, INTERRUPTED = 0, 1, 2, 70, 130
"""Exit codes: done; the answer is no; bad usage; a fault of the program (EX_SOFTWARE); Ctrl-C."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What a disk says on which somebody wanted a command's output."""


def words_of(context: click.Context) -> Words:
    """Return the words this run of the program speaks."""
    root = context.find_root()
    if not isinstance(root.obj, Words):
        root.obj = Words(from_locale(os.environ))
    return root.obj


class Option(click.Option):
    """An option whose help is a key of words.toml."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option's line in the help."""
        told = copy.copy(self)
        told.help = words_of(ctx)(self.help) if self.help else None
        return click.Option.get_help_record(told, ctx)


class Command(click.Command):
    """A command that explains itself in the reader's language and ends with an example."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage line."""
        prefix = words_of(ctx)("help.usage") + " "
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), prefix=prefix)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(words_of(ctx)(f"{_key(ctx)}.help"))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, and a group's commands."""
        records = [param.get_help_record(ctx) for param in self.get_params(ctx)[:-1]]
        shown = [record for record in records if record]
        with formatter.section(words_of(ctx)("help.options")):
            formatter.write_dl([*shown, ("-h, --help", words_of(ctx)("help.help"))])
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write examples, and what else is worth knowing."""
        words, key = words_of(ctx), _key(ctx)
        with formatter.section(words("help.example")):
            for line in words(f"{key}.example").strip().splitlines():
                formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
        if f"{key}.notes" in words:
            formatter.write_paragraph()
            for line in words(f"{key}.notes").strip().splitlines():
                formatter.write(f"{line}\n")


class Group(Command, click.Group):
    """A command with commands below it."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a line for each command."""
        words, key = words_of(ctx), _key(ctx)
        prefix = "" if key == "cli" else f"{key}_"
        shown = [name for name, command in self.commands.items() if not command.hidden]
        rows = [(name, words(f"{prefix}{name}.short")) for name in shown]
        with formatter.section(words("help.commands")):
            formatter.write_dl(rows)


class Defaulting(Group):
    """A group whose first word may be left out where it would be `default`."""

    def __init__(self, *args: Any, default: str, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._default = default

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is meant."""
        named = args[0] in self.commands or args[0].startswith("-")
        return super().resolve_command(ctx, args if named else [self._default, *args])


class Program(Group):
    """The whole command line: runs one command and turns whatever comes of it into an exit code."""

    def main(  # type: ignore[override]  # click's has overloads for what we pass through
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> Any:
        """Run the program and leave it with its exit code."""
        if not extra.pop("standalone_mode", True):
            return super().main(args, prog_name, standalone_mode=False, **extra)
        told, language, debug = _common(sys.argv[1:] if args is None else args)
        words = Words(language)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # a terminal in GBK or Latin-1 has no ✓ or bar: a ? does
        try:
            code = super().main(told, PROGRAM, standalone_mode=False, obj=words, **extra)
        except click.exceptions.NoArgsIsHelpError as error:
            sys.exit(_say_help(error, USAGE))
        except click.UsageError as error:
            sys.exit(_say(_usage_line(error, words), USAGE))
        except ToolError as error:
            sys.exit(_say(error_lines(error, words), NO))
        except click.ClickException as error:
            sys.exit(_say(error.format_message(), NO))
        except (click.Abort, KeyboardInterrupt):
            sys.exit(INTERRUPTED)
        except Exception as fault:  # noqa: BLE001 - the last resort: no trace for who did not ask for one
            if isinstance(fault, OSError) and fault.errno in FULL:
                sys.exit(_say(words("help.full", reason=fault.strerror), NO))
            if debug:
                traceback.print_exc()
            sys.exit(_say(words("help.bug", fault=f"{type(fault).__name__}: {fault}"), BUG))
        sys.exit(code if isinstance(code, int) else DONE)


def error_lines(error: ToolError, words: Words) -> str:
    """Return what went wrong and, on a line of its own, what to do."""
    told = words(error.key, **error.values)
    hint = f"{error.key}_hint"
    return f"{told}\n{words(hint, **error.values)}" if hint in words else told


def _say(line: str, code: int) -> int:
    click.echo(f"{PROGRAM}: {line}", err=True)
    return code


def _say_help(error: click.exceptions.NoArgsIsHelpError, code: int) -> int:
    click.echo(error.format_message(), err=True)
    return code


def _key(context: click.Context) -> str:
    """Return the key of a command's words: "alerts_ack" for `compound-gateway alerts ack`."""
    return "_".join(context.command_path.split()[1:]) or "cli"


def _common(args: Sequence[str]) -> tuple[list[str], str, bool]:
    """Return the arguments without --lang and --debug, which may stand anywhere, and what those say."""
    rest = list(args)
    debug = "--debug" in rest
    language = from_locale(os.environ)
    for index, arg in enumerate(rest):
        name, _, value = arg.partition("=")
        width = 1 if value else 2
        asked = value or "".join(rest[index + 1 : index + 2])
        if name == "--lang" and asked in LANGUAGES:
            language = asked
            del rest[index : index + width]
            break
    return [arg for arg in rest if arg != "--debug"], language, debug


def _usage_line(error: click.UsageError, words: Words) -> str:
    """Return one line that says what is wrong and where help is."""
    path = error.ctx.command_path if error.ctx else PROGRAM
    key = f"usage.{type(error).__name__}"
    parameter = error.param if isinstance(error, click.BadParameter) else None
    values = {
        "name": getattr(error, "option_name", None)
        or getattr(error, "command_name", None)
        or (parameter.human_readable_name if isinstance(parameter, click.Argument) else None)
        or (parameter.opts[-1] if parameter else ""),
        "message": error.message,
    }
    close = ", ".join(getattr(error, "possibilities", None) or ())
    told = words(key, **values) if key in words else error.format_message()
    guess = words("usage.guess", close=close) if close else ""
    return f"{told}{guess} ({words('usage.try', path=path)})".replace("\n", " ")

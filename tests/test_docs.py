"""README, the sample configuration and the changelog tell the truth."""

import re
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gateway.cli import cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def console_commands() -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", README, re.S)
    lines = (line.removeprefix("$ ") for block in blocks for line in block.splitlines())
    return [line.split("  #")[0].strip() for line in lines]


@pytest.mark.parametrize(
    "command", [line for line in console_commands() if line.startswith("compound-gateway")]
)
def test_every_command_in_the_readme_exists_and_knows_its_options(command: str) -> None:
    words = command.split()[1:]
    path: list[str] = []
    found: click.Command = cli
    while isinstance(found, click.Group) and len(path) < len(words) and not words[len(path)].startswith("-"):
        path.append(words[len(path)])
        assert path[-1] in found.commands, f"{command}: no {path[-1]}"
        found = found.commands[path[-1]]
    result = CliRunner().invoke(cli, [*path, "--help"])
    assert result.exit_code == 0, result.output
    for option in (word for word in words if word.startswith("-")):
        assert option in result.output, f"{command}: no {option}"


@pytest.mark.parametrize("command", [line for line in console_commands() if line.startswith("make")])
def test_every_make_target_in_the_readme_exists(command: str) -> None:
    target = command.split()[1]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M), target


def test_ci_runs_the_linters_and_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "make test" in console_commands()
    assert {"make lint", "make test"} <= set(script.splitlines())


def test_every_file_and_folder_the_readme_links_to_exists() -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    for folder in re.findall(r"^\| `([a-z/]+)`", README, re.M):
        assert (ROOT / folder).is_dir(), folder


@pytest.mark.parametrize("text", re.findall(r"```toml\n(.*?)```", README, re.S))
def test_the_configuration_in_the_readme_passes_the_check(text: str, tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(text.replace("[gateway]", f'[gateway]\nstate_dir = "{tmp_path}"'), encoding="utf-8")
    result = CliRunner().invoke(cli, ["check", "-c", str(file)])
    assert result.exit_code == 0, result.output


def test_the_sample_configuration_passes_the_check(tmp_path: Path) -> None:
    text = (ROOT / "systemd" / "gateway.toml").read_text(encoding="utf-8")
    changed = re.sub(r"^#?\s*state_dir = .*$", f'state_dir = "{tmp_path}"', text, count=1, flags=re.M)
    file = tmp_path / "gateway.toml"
    file.write_text(changed, encoding="utf-8")
    result = CliRunner().invoke(cli, ["check", "-c", str(file)])
    assert result.exit_code == 0, result.output


def test_the_assets_of_the_sample_configuration_pass_the_check_once_their_marks_are_taken_off(
    tmp_path: Path,
) -> None:
    text = (ROOT / "systemd" / "gateway.toml").read_text(encoding="utf-8")
    marked = text.partition("# --- assets")[2].partition("# --- end of assets")[0]
    plain = "\n".join(line.removeprefix("# ") for line in marked.partition("[[bus]]")[2].splitlines())
    file = tmp_path / "gateway.toml"
    head = f'[gateway]\nid = "x"\nstate_dir = "{tmp_path}"\n'
    file.write_text(head + "[[bus]]" + plain, encoding="utf-8")
    result = CliRunner().invoke(cli, ["check", "-c", str(file)])
    assert result.exit_code == 0, result.output
    assert "[[asset]]" in plain


def test_the_changelog_names_the_version_or_what_is_not_released_yet() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "## [Unreleased]" in changelog
    assert project["version"] == __import__("gateway").__version__


def test_the_readme_says_what_the_gateway_is_not() -> None:
    assert "never be the only path of a fire alarm" in README
    assert "绝不能作为火灾报警的唯一途径" in README


def test_every_test_that_is_named_as_evidence_is_there() -> None:
    text = (ROOT / "systemd" / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"`t/([^`]+)`", text)
    assert len(named) > 30
    assert [name for name in named if not (ROOT / "tests" / name).exists()] == []

"""Commands that are imported when they are run: whoever asks for help, or for another one, waits for none."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True)
class LazyCommand:
    """Place of a command or group of commands (`module:attribute`), and what it is for."""

    place: str
    help: str

    def load(self, name: str) -> Any:
        """The command, imported."""
        module, _, attribute = self.place.partition(":")
        command = getattr(import_module(module), attribute)
        if isinstance(command, typer.Typer):
            group = typer.main.get_group(command)
            group.name, group.help = name, self.help
            return group
        alone = typer.Typer(add_completion=False)
        alone.command(name, help=self.help)(command)
        return typer.main.get_command(alone)


def lazy_group(commands: Mapping[str, LazyCommand], default: str | None = None) -> type[TyperGroup]:
    """A group of commands, each known by its help until it is run; `default` is run where none is named."""

    class LazyGroup(TyperGroup):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            for name, command in commands.items():
                self.add_command(TyperCommand(name, help=command.help))

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            if default is not None and args and args[0] not in {*self.commands, "--help"}:
                args = [default, *args]
            return super().parse_args(ctx, args)

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            if args and args[0] in commands:
                self.add_command(commands[args[0]].load(args[0]))
            return super().resolve_command(ctx, args)

    return LazyGroup

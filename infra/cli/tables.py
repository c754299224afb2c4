"""Tables whose words are whole: ids among them are what the next command needs."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text


class WholeTable(Table):
    """A table that cuts no word. Where the screen is too narrow for that, each row is a block of `column  cell`."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        sizes = [_sizes(console, [column.header, *column.cells]) for column in self.columns]
        borders = self._extra_width + 2 * len(self.columns)
        if sum(least for least, _ in sizes) + borders > options.max_width:
            yield from self._blocks(console)
            return
        widths = [most for _, most in sizes]
        while sum(widths) + borders > options.max_width:  # the widest that can be wrapped gives way
            widths[max((w, i) for i, w in enumerate(widths) if w > sizes[i][0])[1]] -= 1
        for column, width in zip(self.columns, widths, strict=True):
            column.width, column.overflow = width, "fold"
        yield from super().__rich_console__(console, options)

    def _blocks(self, console: Console) -> RenderResult:
        if self.title:
            yield _text(console, self.title)
        names = [_text(console, column.header).plain for column in self.columns]
        width = max(map(cell_len, names), default=0)
        rows: Sequence[Sequence[object]] = list(zip(*(list(column.cells) for column in self.columns), strict=True))
        for number, row in enumerate(rows):
            if number:
                yield Text("")
            for name, cell in zip(names, row, strict=True):
                text = _text(console, cell)
                if text.plain.strip():
                    yield Text(f"  {name:<{width}}  ", style="dim").append_text(text)


def _text(console: Console, cell: object) -> Text:
    return cell if isinstance(cell, Text) else console.render_str(str(cell))


def _sizes(console: Console, cells: Sequence[object]) -> tuple[int, int]:
    """Width of the longest word, and of the longest line."""
    texts = [_text(console, cell).plain for cell in cells]
    words = max((cell_len(word) for text in texts for word in text.split()), default=0)
    return words, max((cell_len(line) for text in texts for line in text.splitlines()), default=0)

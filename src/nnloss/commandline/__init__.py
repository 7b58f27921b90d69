"""What do the command lines share?

Options, printing and the end of a command. The exit status is 0 on success, 2 for invalid input and
130 after Ctrl-C; a command may return another one. Imports `nnloss.runs`.
"""

from nnloss._files import require_folder
from nnloss.commandline.options import (
    Augment,
    BatchSize,
    DataDir,
    Edition,
    Epochs,
    Out,
    Quick,
    Seed,
    flag,
    folder,
    option,
    whole_number,
)
from nnloss.commandline.process import (
    WithoutTypes,
    application,
    log_to_terminal,
    print_error,
    run,
    set_up,
    status,
    status_of,
)
from nnloss.commandline.tables import cell, is_numeric, table
from nnloss.commandline.text import (
    closing,
    heading,
    paragraph,
    quick_run,
    width_of_text,
    wrapped,
)

__all__ = [
    "Augment", "BatchSize", "DataDir", "Edition", "Epochs", "Out", "Quick", "Seed", "WithoutTypes",
    "application", "cell", "closing", "flag", "folder", "heading", "is_numeric", "log_to_terminal",
    "option", "paragraph", "print_error", "quick_run", "require_folder", "run", "set_up", "status",
    "status_of", "table", "whole_number", "width_of_text", "wrapped",
]  # fmt: skip

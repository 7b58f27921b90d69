"""Do the published numbers hold? All exercises from many seeds.

The command is ``nnloss reproduce`` too; its code is in ``nnloss.reproduction``.
"""

from nnloss import commandline
from nnloss.reproduction.command import main

if __name__ == "__main__":
    commandline.run(main)

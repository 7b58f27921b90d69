"""Do the published numbers hold? All exercises with many seeds.

Also available as ``nnloss reproduce``; the code is in ``nnloss.reproduction``.
"""

from nnloss import commandline
from nnloss.reproduction.command import main

if __name__ == "__main__":
    commandline.run(main)

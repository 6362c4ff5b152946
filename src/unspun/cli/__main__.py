"""`python -m unspun.cli`."""

import sys

from unspun.cli import main

if __name__ == "__main__":
    sys.exit(main())

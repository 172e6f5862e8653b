"""``python -m bigimg`` is the command line."""

from bigimg.cli import main

if __name__ == "__main__":
    main()

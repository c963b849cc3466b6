"""``python -m ltpkit.cli`` is the command `ltpkit`."""

from ltpkit.cli import main

if __name__ == "__main__":
    main()

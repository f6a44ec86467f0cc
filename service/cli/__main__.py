"""`python -m service.cli` is the `binome` command."""

from service.cli import main

if __name__ == "__main__":
    main()

"""The entry point of `firstseen` and of `python -m firstseen`."""

from firstseen.commands.running import main

if __name__ == "__main__":
    main()

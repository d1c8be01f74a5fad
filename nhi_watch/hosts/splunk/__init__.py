"""The chunked search-command protocol and the commands behind bin/; standard library only."""

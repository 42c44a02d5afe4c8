"""Redis as the work log of Steno, one module per part a service plays."""

"""`python -m service.cli`: the same as the command `proofhouse`."""

from service.cli import main

main()

"""The parts of the hub that act on events: each is one subscriber over a pure decision."""

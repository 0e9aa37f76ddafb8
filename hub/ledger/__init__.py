"""What the events add up to. Written in the commit of the event, dropped and made again from the events at will."""

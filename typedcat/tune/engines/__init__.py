"""What runs tasks: the protocol, processes on this machine, and their workers."""

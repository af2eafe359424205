"""The tree: nodes that read and write like attributes, know who set what, and hold values computed later."""

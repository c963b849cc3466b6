"""What several feeds need to read their wire: ids to instruments, messages in one piece, JSON, trade ids.

No feed of its own, and the only modules here that a feed may import besides its own.
"""

"""Pictures of a stream. Nothing here is imported until a view is asked for."""

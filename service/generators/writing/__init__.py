"""How the generator `llm` works: what it asks, shows, reads and turns away. See docs/generation-llm.md."""

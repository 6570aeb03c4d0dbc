# sources of milter/outcome

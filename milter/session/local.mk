# sources of milter/session

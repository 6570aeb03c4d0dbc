# sources of milter/auth

# sources of milter/scanner

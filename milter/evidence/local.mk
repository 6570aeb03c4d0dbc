# sources of milter/evidence

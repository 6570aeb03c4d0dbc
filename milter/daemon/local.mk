# sources of milter/daemon

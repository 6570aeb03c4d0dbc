# sources of milter/dns

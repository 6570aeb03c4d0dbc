# sources of milter/message

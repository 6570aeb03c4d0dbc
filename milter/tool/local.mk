# sources of milter/tool

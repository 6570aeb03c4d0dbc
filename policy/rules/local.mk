# sources of policy/rules

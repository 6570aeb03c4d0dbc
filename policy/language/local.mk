# sources of policy/language

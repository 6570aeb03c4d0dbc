# sources of policy/indicator

# The policy pack that ships; it lands in policy.d.
SHIPPED_RULES += \
	policy/rules/00-lists.policy \
	policy/rules/10-indicators.policy \
	policy/rules/20-own-domains.policy

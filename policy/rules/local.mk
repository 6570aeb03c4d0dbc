# The rules that ship; each file holds its tests.
SHIPPED_RULES += \
	policy/rules/00-lists.policy \
	policy/rules/10-indicators.policy \
	policy/rules/20-own-domains.policy \
	policy/rules/30-authentication.policy \
	policy/rules/40-attachments.policy \
	policy/rules/50-links.policy \
	policy/rules/60-confidential.policy \
	policy/rules/70-outgoing.policy \
	policy/rules/80-accounts.policy \
	policy/rules/90-exemptions.policy

#include <config.h>

#include "language/foreign.h"

struct phrase {
	const char *word, *instead;
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct phrase operators[] = {
	{ "eq", "equality is written ==" },
	{ "equals", "equality is written ==" },
	{ "ne", "inequality is written !=" },
	{ "isnt", "inequality is written !=" },
	{ "lt", "less is written <" },
	{ "le", "less or equal is written <=" },
	{ "gt", "greater is written >" },
	{ "ge", "greater or equal is written >=" },
	{ "like", "write contains \"TEXT\", or matches /PATTERN/" },
	{ "ilike", "write contains \"TEXT\", or matches /PATTERN/i" },
	{ "glob", "write matches /PATTERN/" },
	{ "match", "write matches /PATTERN/" },
	{ "regex", "write matches /PATTERN/" },
	{ "contain", "write contains" },
	{ "has", "write contains" },
	{ "have", "write contains" },
	{ "includes", "write contains" },
	{ "startswith", "write starts-with" },
	{ "starts_with", "write starts-with" },
	{ "begins-with", "write starts-with" },
	{ "endswith", "write ends-with" },
	{ "ends_with", "write ends-with" },
	{ "within", "write in or under" },
	{ "below", "write under" },
	{ "does", "write not (FIELD contains ...)" },
	{ "doesnt", "write not (FIELD contains ...)" },
	{ "exists", "write is present" },
};

static const struct phrase actions[] = {
	{ "accept", "there is no accept: what no rule stops is accepted; to "
		    "spare mail from a rule write an exempt" },
	{ "deliver", "there is no deliver: what no rule stops is accepted" },
	{ "score", "there are no scores: each rule says itself what is done" },
	{ "keep", "there is no keep: what no rule stops is accepted" },
	{ "pass", "there is no pass: what no rule stops is accepted; to spare "
		  "mail from a rule write an exempt" },
	{ "allow", "there is no allow: what no rule stops is accepted; to "
		   "spare mail from a rule write an exempt" },
	{ "permit", "there is no permit: what no rule stops is accepted; to "
		    "spare mail from a rule write an exempt" },
	{ "hold", "what holds mail is quarantine" },
	{ "freeze", "what holds mail is quarantine" },
	{ "block", "what refuses mail is reject" },
	{ "deny", "what refuses mail is reject" },
	{ "refuse", "what refuses mail is reject" },
	{ "bounce", "what refuses mail is reject" },
	{ "drop", "what loses mail is discard; quarantine keeps it" },
	{ "delete", "what loses mail is discard; quarantine keeps it" },
	{ "tempfail", "what asks the client to come again is defer" },
	{ "greylist", "what asks the client to come again is defer" },
	{ "mark", "what marks mail is tag" },
	{ "flag", "what marks mail is tag" },
	{ "warn", "what notes it in the log is alert" },
	{ "log", "each match is in the log; what asks for attention is alert" },
	{ "notify", "what asks for attention is alert" },
	{ "redirect", "what sends a copy is copy-to" },
	{ "bcc", "what sends a copy is copy-to" },
	{ "fileinto", "rules put nothing into folders: mark the mail with tag "
		      "and let the mailbox sort it" },
	{ "stop", "there is no stop: every rule is evaluated, whatever the "
		  "order" },
	{ "quick", "there is no quick: every rule is evaluated, whatever the "
		   "order" },
};

static const struct phrase clauses[] = {
	{ "if", "a condition stands after when" },
	{ "where", "a condition stands after when" },
	{ "match", "a condition stands after when" },
	{ "else", "there is no else: write another rule, which may name this "
		  "one: when not NAME" },
	{ "except", "write unless" },
	{ "do", "actions stand after then" },
	{ "action", "actions stand after then" },
	{ "priority", "write severity; the order of rules does not matter" },
	{ "expires", "until stands before the brace: rule NAME until "
		     "2026-12-31 {" },
};

static const struct phrase statements[] = {
	{ "if", "write rule NAME { when CONDITION then ACTION }" },
	{ "when", "write rule NAME { when CONDITION then ACTION }" },
	{ "block", "write rule NAME { when CONDITION then reject }" },
	{ "pass", "there is no pass: what no rule stops is accepted" },
	{ "table", "write list NAME networks { ... }" },
	{ "acl", "write list NAME networks { ... }" },
	{ "map", "write list NAME strings { ... }" },
	{ "define", "write let NAME = CONDITION" },
	{ "macro", "write let NAME = CONDITION" },
	{ "var", "write let NAME = CONDITION" },
	{ "set", "a setting is its name and its value: log-level info" },
	{ "require", "all there is may be used without it" },
	{ "whitelist", "write exempt RULE \"why\" until TIME { when ... }" },
	{ "allow", "write exempt RULE \"why\" until TIME { when ... }" },
};

#define OWN_NETWORKS "networks of ours are own-networks { ... }"
#define OWN_DOMAINS  "domains of ours are own-domains { \"...\" }"
#define RESOLVER     "write resolver { server ADDRESS }"
#define BY_RULE                                                             \
	"what happens to mail is said by rules: rule NAME { when ... then " \
	"... }"

/* In small letters, without - and _. */
static const struct phrase settings[] = {
	{ "listen", "write socket" },
	{ "bind", "write socket" },
	{ "bindsocket", "write socket" },
	{ "milter", "write socket" },
	{ "socket", "write socket" },
	{ "umask", "write socket-mode" },
	{ "userid", "write user" },
	{ "group", "write socket-group" },
	{ "authservid", "write authserv-id" },
	{ "trustedauthservids", "write trusted-authserv-ids" },
	{ "pidfile", "write pid-file" },
	{ "syslog", "write syslog-facility" },
	{ "syslogfacility", "write syslog-facility" },
	{ "loglevel", "write log-level" },
	{ "milterdebug", "write log-level" },
	{ "statedir", "write state-directory" },
	{ "datadir", "write state-directory" },
	{ "internalhosts", OWN_NETWORKS },
	{ "externalignorelist", OWN_NETWORKS },
	{ "ignorehosts", OWN_NETWORKS },
	{ "peerlist", OWN_NETWORKS },
	{ "mynetworks", OWN_NETWORKS },
	{ "localnetworks", OWN_NETWORKS },
	{ "localaddrs", OWN_NETWORKS },
	{ "mydomain", OWN_DOMAINS },
	{ "mydestination", OWN_DOMAINS },
	{ "domain", OWN_DOMAINS },
	{ "domains", OWN_DOMAINS },
	{ "localdomains", OWN_DOMAINS },
	{ "nameserver", RESOLVER },
	{ "nameservers", RESOLVER },
	{ "dns", RESOLVER },
	{ "dnstimeout", "write resolver { deadline 15s }" },
	{ "trustanchorfile", "write resolver { trust-anchor \"FILE\" }" },
	{ "historyfile", "write evidence on" },
	{ "rejectfailures", BY_RULE },
	{ "quarantine", BY_RULE },
	{ "onbadsignature", BY_RULE },
	{ "onnosignature", BY_RULE },
	{ "milterdefaultaction", "write failure { internal ... }, or set it in "
				 "the MTA" },
};

#define LOOK_UPS "lists in the DNS are the MTA's to ask, before mail comes here"
#define NO_SCORE                                                           \
	"there are no scores: a rule says what it sees and what is done, " \
	"and rules may name rules"

#define ENVELOPE "the envelope sender is mail-from"

static const struct phrase fields[] = {
	{ "envelope-from", ENVELOPE },
	{ "envelope_from", ENVELOPE },
	{ "envelope-sender", ENVELOPE },
	{ "envelope.from", ENVELOPE },
	{ "mailfrom", ENVELOPE },
	{ "mail_from", ENVELOPE },
	{ "return-path", ENVELOPE },
	{ "sender-domain", "the domain of the envelope sender is "
			   "mail-from.domain" },
	{ "envelope-to", "the envelope's recipients are any recipient "
			 "(.address ...)" },
	{ "rcpt-to", "the envelope's recipients are any recipient "
		     "(.address ...)" },
	{ "user", "the account that logged in is auth.user" },
	{ "sasl_username", "the account that logged in is auth.user" },
	{ "ip", "the client's address is client.ip" },
	{ "client", "the client's address is client.ip" },
	{ "now", "conditions don't reckon from now: write the time itself, as "
		 "in date < 2026-11-23" },
	{ "filename", "write any attachment (.name ...)" },
	{ "content-type", "write any attachment (.type ...), or any "
			  "header[\"Content-Type\"] (.value ...)" },
	{ "authenticated", "write auth.user is present" },
	{ "html", "the text of HTML parts is in body.text" },
	{ "dkim.domain", "write any signature (.domain ...)" },
	{ "dkim.selector", "write any signature (.selector ...)" },
	{ "score", NO_SCORE },
	{ "spam-score", NO_SCORE },
	{ "spam_score", NO_SCORE },
	{ "time", "when mail was written is date; the time of day can't be "
		  "asked" },
	{ "bcc", "who is not in to and cc is among any recipient (.address "
		 "...)" },
	{ "dnsbl", LOOK_UPS },
	{ "rbl", LOOK_UPS },
	{ "link", "write any url (.host ...)" },
	{ "links", "write any url (.host ...)" },
};

static const struct phrase collections[] = {
	{ "link", "url" },
	{ "links", "url" },
	{ "urls", "url" },
	{ "uri", "url" },
	{ "file", "attachment" },
	{ "files", "attachment" },
	{ "attachments", "attachment" },
	{ "recipients", "recipient" },
	{ "rcpt-to", "recipient" },
	{ "indicators", "indicator" },
	{ "received", "hop" },
	{ "dkim-signature", "signature" },
	{ "signatures", "signature" },
};

static const struct phrase members[] = {
	{ "filename", "name" },
	{ "file-name", "name" },
	{ "ext", "extension" },
	{ "mime-type", "type" },
	{ "content-type", "type" },
	{ "hash", "sha256" },
	{ "email", "address" },
	{ "addr", "address" },
	{ "name", "display" },
	{ "display-name", "display" },
	{ "user", "local" },
	{ "href", "url" },
	{ "hostname", "host" },
};

static const struct phrase units[] = {
	{ "kB", "kB" },
	{ "KB", "kB" },
	{ "k", "kB" },
	{ "MB", "MB" },
	{ "M", "MB" },
	{ "GB", "GB" },
	{ "G", "GB" },
	{ "ms", "ms" },
	{ "s", "s" },
	{ "sec", "s" },
	{ "secs", "s" },
	{ "second", "s" },
	{ "seconds", "s" },
	{ "m", "m" },
	{ "min", "m" },
	{ "minute", "m" },
	{ "minutes", "m" },
	{ "h", "h" },
	{ "hour", "h" },
	{ "hours", "h" },
	{ "d", "d" },
	{ "day", "d" },
	{ "days", "d" },
	{ "week", "w" },
	{ "weeks", "w" },
};

static const char *
look_up(const struct phrase *phrases, size_t count, struct slice word)
{
	for (size_t i = 0; i < count; i++)
		if (slice_equal_text(word, phrases[i].word))
			return phrases[i].instead;
	return NULL;
}

const char *
foreign_operator(struct slice word)
{
	return look_up(operators, COUNT(operators), word);
}

const char *
foreign_action(struct slice word)
{
	return look_up(actions, COUNT(actions), word);
}

const char *
foreign_clause(struct slice word)
{
	return look_up(clauses, COUNT(clauses), word);
}

const char *
foreign_statement(struct slice word)
{
	return look_up(statements, COUNT(statements), word);
}

const char *
foreign_setting(struct slice word)
{
	char plain[32];
	size_t length = 0;

	for (size_t i = 0; i < word.length; i++) {
		if (word.data[i] == '-' || word.data[i] == '_')
			continue;
		if (length == sizeof plain)
			return NULL;
		plain[length++] = ascii_lower(word.data[i]);
	}
	return look_up(settings, COUNT(settings), slice_make(plain, length));
}

const char *
foreign_field(struct slice word)
{
	return look_up(fields, COUNT(fields), word);
}

const char *
foreign_collection(struct slice word)
{
	return look_up(collections, COUNT(collections), word);
}

const char *
foreign_member(struct slice word)
{
	return look_up(members, COUNT(members), word);
}

const char *
foreign_unit(struct slice word)
{
	return look_up(units, COUNT(units), word);
}

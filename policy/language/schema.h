/*
 * schema - the one table of all fields that rules can name
 *
 * The type checker, `tocsin fields`, the manual page and the shell completion
 * draw from this table; facts are indexed by its enumerations. A field is
 * either a single value or a collection whose elements have members.
 */
#ifndef TOCSIN_LANGUAGE_SCHEMA_H
#define TOCSIN_LANGUAGE_SCHEMA_H

#include "language/value.h"

/* When something is known or a rule runs, in order. */
enum schema_stage {
	STAGE_CONNECT,
	STAGE_HELO,
	STAGE_MAIL,
	STAGE_RCPT,
	STAGE_MESSAGE /* the end of the message */
};

#define STAGE_COUNT (STAGE_MESSAGE + 1)

/* What it costs to have a value. COSTLY ones are computed on demand, once a
 * message (facts.h). */
enum schema_cost {
	COST_FREE,
	COST_DNS,
	COST_COSTLY
};

enum field_id {
	/* client */
	FIELD_CLIENT_IP,
	FIELD_CLIENT_NAME,
	FIELD_CONNECTION_IP,
	FIELD_HELO,
	FIELD_TLS_VERSION,
	FIELD_TLS_CIPHER,
	FIELD_TLS_SUBJECT,
	FIELD_AUTH_USER,
	FIELD_AUTH_METHOD,
	FIELD_DAEMON,
	FIELD_DIRECTION, /* enum schema_direction */
	/* envelope */
	FIELD_MAIL_FROM,
	FIELD_MAIL_FROM_DOMAIN,
	FIELD_RECIPIENT, /* enum mailbox_member */
	FIELD_RCPT,
	FIELD_RCPT_DOMAIN,
	FIELD_QUEUE_ID,
	/* header */
	FIELD_FROM,        /* enum mailbox_member */
	FIELD_TO,          /* enum mailbox_member */
	FIELD_CC,          /* enum mailbox_member */
	FIELD_REPLY_TO,    /* enum mailbox_member */
	FIELD_SENDER,      /* enum mailbox_member */
	FIELD_FROM_DEFECT, /* enum plain_member, enum words */
	FIELD_REPLY_TO_ELSEWHERE,
	FIELD_SUBJECT,
	FIELD_MESSAGE_ID,
	FIELD_DATE,
	FIELD_HEADER, /* enum header_member */
	FIELD_HOP,    /* enum hop_member */
	/* authentication */
	FIELD_SPF, /* enum schema_result */
	FIELD_SPF_DOMAIN,
	FIELD_DKIM,      /* enum schema_result */
	FIELD_SIGNATURE, /* enum signature_member */
	FIELD_DMARC,     /* enum schema_result */
	FIELD_DMARC_POLICY,
	FIELD_DMARC_DOMAIN,
	FIELD_ARC, /* enum schema_result */
	FIELD_ARC_SEALER,
	FIELD_RESOLVER_DOWN,
	/* content */
	FIELD_SIZE,
	FIELD_BODY_TEXT,
	FIELD_URL,        /* enum url_member */
	FIELD_ATTACHMENT, /* enum attachment_member */
	FIELD_ATTACHMENTS_SIZE,
	FIELD_MIME_DEFECT, /* enum plain_member, enum words */
	FIELD_YARA,        /* enum yara_member; yara("ruleset") */
	/* indicator, policy */
	FIELD_INDICATOR, /* enum indicator_member */
	FIELD_FEED,      /* enum feed_member; feed["NAME"].age */
	FIELD_ANALYSIS_INCOMPLETE,
	FIELD_ANALYSIS_GAP, /* enum plain_member, enum words */
	FIELD_COUNT
};

/* Members of from, to, cc, reply-to, sender, recipient. */
enum mailbox_member {
	FACT_MAILBOX_ADDRESS,
	FACT_MAILBOX_DOMAIN,
	FACT_MAILBOX_LOCAL,
	FACT_MAILBOX_DISPLAY,
	FACT_MAILBOX_MEMBERS
};

/* The only member of a collection of plain values. */
enum plain_member {
	FACT_PLAIN_VALUE,
	FACT_PLAIN_MEMBERS
};

enum header_member {
	FACT_HEADER_NAME,  /* as written; compared without case */
	FACT_HEADER_VALUE, /* unfolded, encoded words decoded, blanks trimmed */
	FACT_HEADER_MEMBERS
};

enum hop_member {
	FACT_HOP_IP,
	FACT_HOP_NAME,
	FACT_HOP_BY,
	FACT_HOP_TIME,
	FACT_HOP_TRUSTED,
	FACT_HOP_MEMBERS
};

enum signature_member {
	FACT_SIGNATURE_DOMAIN,
	FACT_SIGNATURE_SELECTOR,
	FACT_SIGNATURE_RESULT, /* enum schema_result */
	FACT_SIGNATURE_ALGORITHM,
	FACT_SIGNATURE_BITS,
	FACT_SIGNATURE_ALIGNED,
	FACT_SIGNATURE_TESTING,
	FACT_SIGNATURE_MEMBERS
};

enum url_member {
	FACT_URL_URL, /* normalised */
	FACT_URL_HOST,
	FACT_URL_DOMAIN, /* registrable */
	FACT_URL_SCHEME,
	FACT_URL_PATH,
	FACT_URL_TEXT,
	FACT_URL_TEXT_MISMATCH,
	FACT_URL_DISGUISED,
	FACT_URL_DEFANGED,
	FACT_URL_WHERE,
	FACT_URL_MEMBERS
};

enum attachment_member {
	FACT_ATTACHMENT_NAME,
	FACT_ATTACHMENT_EXTENSION,
	FACT_ATTACHMENT_EXTENSIONS,
	FACT_ATTACHMENT_TYPE,
	FACT_ATTACHMENT_DETECTED_TYPE,
	FACT_ATTACHMENT_SIZE,
	FACT_ATTACHMENT_MD5,
	FACT_ATTACHMENT_SHA1,
	FACT_ATTACHMENT_SHA256,
	FACT_ATTACHMENT_DEPTH,
	FACT_ATTACHMENT_PARENT,
	FACT_ATTACHMENT_ENCRYPTED,
	FACT_ATTACHMENT_MACROS,
	FACT_ATTACHMENT_UNSCANNABLE,
	FACT_ATTACHMENT_REASON,
	FACT_ATTACHMENT_MEMBERS
};

enum yara_member {
	FACT_YARA_RULESET, /* filters yara("ruleset"); rules can't name it */
	FACT_YARA_RULE,
	FACT_YARA_TAGS,
	FACT_YARA_WHERE,
	FACT_YARA_MEMBERS
};

enum indicator_member {
	FACT_INDICATOR_TYPE, /* by name, schema_word(): see policy/indicator/kind.h */
	FACT_INDICATOR_VALUE,
	FACT_INDICATOR_FEED,
	FACT_INDICATOR_ID,
	FACT_INDICATOR_SEVERITY, /* enum schema_severity */
	FACT_INDICATOR_CONFIDENCE,
	FACT_INDICATOR_STRENGTH, /* enum schema_strength */
	FACT_INDICATOR_PARTIAL,
	FACT_INDICATOR_TAGS,
	FACT_INDICATOR_TLP, /* enum schema_tlp */
	FACT_INDICATOR_FIRST_SEEN,
	FACT_INDICATOR_EXPIRES,
	FACT_INDICATOR_DEFANGED,
	FACT_INDICATOR_WHERE,
	FACT_INDICATOR_OBSERVED,
	FACT_INDICATOR_DESCRIPTION,
	FACT_INDICATOR_MEMBERS
};

enum feed_member {
	FACT_FEED_NAME, /* filters feed["NAME"] */
	FACT_FEED_AGE,
	FACT_FEED_MEMBERS
};

/* Most members that any collection has. */
#define SCHEMA_MEMBERS_MAX 16

/* Values of enumerated fields. Facts hold these numbers. */
enum schema_result {
	FACT_RESULT_NONE,
	FACT_RESULT_PASS,
	FACT_RESULT_FAIL,
	FACT_RESULT_SOFTFAIL,
	FACT_RESULT_NEUTRAL,
	FACT_RESULT_POLICY,
	FACT_RESULT_TEMPERROR,
	FACT_RESULT_PERMERROR
};

enum schema_direction {
	FACT_DIRECTION_INBOUND,
	FACT_DIRECTION_OUTBOUND,
	FACT_DIRECTION_INTERNAL
};

enum schema_dmarc_policy {
	FACT_DMARC_POLICY_NONE,
	FACT_DMARC_POLICY_QUARANTINE,
	FACT_DMARC_POLICY_REJECT
};

enum schema_severity {
	FACT_SEVERITY_LOW,
	FACT_SEVERITY_MEDIUM,
	FACT_SEVERITY_HIGH,
	FACT_SEVERITY_CRITICAL
};

enum schema_strength {
	FACT_STRENGTH_WEAK,
	FACT_STRENGTH_STRONG
};

enum schema_tlp {
	FACT_TLP_CLEAR,
	FACT_TLP_GREEN,
	FACT_TLP_AMBER,
	FACT_TLP_AMBER_STRICT,
	FACT_TLP_RED
};

/* The words of one enumeration; `ordered` ones may be compared with <. */
struct schema_enum {
	const char *name;
	const char *const *words;
	unsigned count;
	bool ordered;
};

struct schema_member {
	const char *name; /* without the dot */
	enum value_type type;
	const struct schema_enum *words; /* VALUE_ENUM only */
	bool optional;                   /* may be missing */
	enum schema_cost cost;
	const char *description;
};

struct schema_field {
	const char *name;
	const char *group; /* heading in manual and listing */
	enum value_type type;
	const struct schema_enum *words; /* VALUE_ENUM only */
	enum schema_stage stage;         /* from when it is known */
	bool optional;                   /* may be missing */
	enum schema_cost cost;
	const char *description;
	const struct schema_member *members; /* VALUE_COLLECTION only */
	unsigned member_count;
};

extern const struct schema_field schema_fields[FIELD_COUNT];

/* Functions of the language, for listing and completion. */
struct schema_function {
	const char *signature;
	const char *description;
};

extern const struct schema_function schema_functions[];
extern const unsigned schema_function_count;

/* The field of this name; FIELD_COUNT when there is none. */
enum field_id schema_find(struct slice name);

/* Index of the member (name without dot), or -1. */
int schema_find_member(const struct schema_field *field, struct slice name);

/* Index of a word in an enumeration, or -1. */
int schema_find_word(const struct schema_enum *words, struct slice word);

/* Index of a word of FIELD_MIME_DEFECT, FIELD_FROM_DEFECT or an enumerated
 * field; -1 when the closed list does not hold it. For who fills facts from
 * names of other modules. */
int schema_word(enum field_id field, const char *word);
int schema_member_word(enum field_id field, unsigned member, const char *word);

/* "connect", "helo", "mail", "rcpt", "the end of the message". */
const char *schema_stage_name(enum schema_stage stage);

extern const struct schema_enum schema_severities;
extern const struct schema_enum schema_indicator_types;

#endif
